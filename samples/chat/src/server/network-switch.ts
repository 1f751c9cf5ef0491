import type { Duplex } from 'node:stream';

/**
 * Cuts a page's sockets, as a pulled plug does: no close frame, no word to either side. The page itself refuses to
 * open new ones until its network is back.
 */
export class NetworkSwitch {
  private readonly sockets = new Map<string, Set<Duplex>>();

  watch(owner: string, socket: Duplex): void {
    if (socket.destroyed) return;
    const sockets = this.sockets.get(owner) ?? new Set();
    this.sockets.set(owner, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.sockets.get(owner) === sockets) this.sockets.delete(owner);
    });
  }

  cut(owner: string): void {
    for (const socket of this.sockets.get(owner) ?? []) socket.destroy();
  }
}
