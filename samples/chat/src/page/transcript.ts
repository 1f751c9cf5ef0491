import type { RoomMessage } from '../server/chat-contract.js';
import { make, timeOf } from './dom.js';

const tints = 6;

/** What was said in one room, as far as this page heard it. */
export class Transcript {
  readonly list = make('ol', 'transcript');
  private readonly seen = new Map<string, HTMLElement>();
  private lastFrom = '';

  get isEmpty(): boolean {
    return this.list.children.length === 0;
  }

  /** Answers the entry, so that it can be marked later. */
  add(message: RoomMessage, isOwn: boolean): HTMLElement {
    const known = this.seen.get(message.id);
    if (known !== undefined) addTag(known, 'twice', 'delivered twice');
    const entry = message.kind === 'said' ? this.makeSaid(message, isOwn) : this.makeEvent(message, isOwn);
    this.seen.set(message.id, entry);
    this.list.append(entry);
    return entry;
  }

  /** A remark of the page itself. */
  note(tone: 'plain' | 'bad' | 'warn', text: string): void {
    const entry = make('li', 'note', text);
    entry.dataset.tone = tone;
    this.lastFrom = '';
    this.list.append(entry);
  }

  private makeSaid({ from, text, at }: RoomMessage, isOwn: boolean): HTMLElement {
    const follows = from === this.lastFrom;
    this.lastFrom = from;
    const face = make('span', 'face', from.slice(0, 1).toUpperCase());
    face.dataset.tint = tintOf(from);
    face.ariaHidden = 'true';
    const head = make('p', 'said-head', make('strong', '', from), make('time', '', timeOf(at)));
    const entry = make('li', 'said', face, head, make('p', 'said-text', text));
    entry.classList.toggle('follows', follows);
    entry.classList.toggle('own', isOwn);
    return entry;
  }

  private makeEvent({ from, kind }: RoomMessage, isOwn: boolean): HTMLElement {
    this.lastFrom = '';
    const did = kind === 'joined' ? 'joined' : 'left';
    return make('li', 'note', isOwn ? `You ${did} the room.` : `${from} ${did} the room.`);
  }
}

/** Marks an entry that came after a reconnect, and was said before it. */
export function markReplayed(entry: HTMLElement): void {
  entry.classList.add('replayed');
  addTag(entry, 'replayed', 'replayed');
}

function addTag(entry: HTMLElement, kind: string, text: string): void {
  const tag = make('span', 'tag', text);
  tag.dataset.kind = kind;
  (entry.querySelector('.said-text') ?? entry).append(' ', tag);
}

function tintOf(name: string): string {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return String(sum % tints);
}
