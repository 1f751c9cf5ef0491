import type { ConnectionState } from './connection.js';
import { byId, make, timeOf } from './dom.js';

const shownMs = 60_000;
const words: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  disconnected: 'Disconnected',
};

/** The state of the connection: a word in the header, and a band of the last minute. */
export class StateBand {
  private readonly pill = byId('state');
  private readonly band = byId('band');
  private spans: { readonly state: ConnectionState; readonly from: number }[] = [];

  constructor() {
    setInterval(() => this.draw(), 500);
  }

  show(state: ConnectionState): void {
    this.pill.textContent = words[state];
    this.pill.dataset.state = state;
    this.spans.push({ state, from: Date.now() });
    this.draw();
  }

  private draw(): void {
    const now = Date.now();
    const begin = now - shownMs;
    // The one that reaches into the minute stays.
    this.spans = this.spans.filter((_, index) => (this.spans[index + 1]?.from ?? now) >= begin);
    this.band.replaceChildren(
      ...this.spans.map(({ state, from }, index) => {
        const to = this.spans[index + 1]?.from ?? now;
        const left = Math.max(0, from - begin) / shownMs;
        const piece = make('span', 'band-piece');
        piece.dataset.state = state;
        piece.title = `${words[state]} from ${timeOf(from)}`;
        piece.style.left = `${left * 100}%`;
        piece.style.width = `${((to - begin) / shownMs - left) * 100}%`;
        return piece;
      }),
    );
  }
}
