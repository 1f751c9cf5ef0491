// A hub's key holds no '/', so what follows the second one may be any text.

/** Everybody of a hub. */
export const hubTopic = (hub: string): string => `h/${hub}`;
/** One connection, as a hub addresses it. */
export const connectionTopic = (hub: string, connectionId: string): string => `c/${hub}/${connectionId}`;
/** One user's connections, as a hub addresses them. */
export const userTopic = (hub: string, userId: string): string => `u/${hub}/${userId}`;
/** A group of a hub. */
export const groupTopic = (hub: string, group: string): string => `g/${hub}/${group}`;
