import type { Connection } from '@hubline/core';

/** Which connections a person has now, those that are cut off included. */
export class Presence {
  private readonly connections = new Map<string, Set<Connection>>();

  add(connection: Connection): void {
    const { id } = connection.user;
    const present = this.connections.get(id);
    if (present === undefined) this.connections.set(id, new Set([connection]));
    else present.add(connection);
  }

  remove(connection: Connection): void {
    const { id } = connection.user;
    const present = this.connections.get(id);
    if (present?.delete(connection) === true && present.size === 0) this.connections.delete(id);
  }

  of(user: string): readonly Connection[] {
    return [...(this.connections.get(user) ?? [])];
  }
}
