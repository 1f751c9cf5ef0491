import type { Room, RoomMessage } from '../server/chat-contract.js';
import { byId, make, makeButton } from './dom.js';
import { Transcript } from './transcript.js';

/** A room as the page knows it. */
interface KnownRoom {
  readonly name: string;
  readonly topic: string;
  readonly transcript: Transcript;
  member: boolean;
  unread: number;
  /** Why the person is not in it any more, if it was not their wish. */
  lostBecause: string | undefined;
}

/** What the list asks for. */
export interface RoomListActs {
  select(room: string): void;
  join(room: string): void;
}

/** The rooms: which there are, which are one's own, and which one is open. */
export class RoomList {
  private readonly rooms = new Map<string, KnownRoom>();
  private readonly mine = byId('my-rooms');
  private readonly others = byId('other-rooms');
  selected: string | undefined;

  constructor(private readonly acts: RoomListActs) {}

  get(name: string): KnownRoom | undefined {
    return this.rooms.get(name);
  }

  get current(): KnownRoom | undefined {
    return this.selected === undefined ? undefined : this.rooms.get(this.selected);
  }

  get members(): readonly KnownRoom[] {
    return [...this.rooms.values()].filter(({ member }) => member);
  }

  /** What the server says that there is. */
  take(rooms: readonly Room[]): void {
    for (const { name, topic, member } of rooms) {
      const known = this.rooms.get(name);
      if (known === undefined)
        this.rooms.set(name, { name, topic, member, transcript: new Transcript(), unread: 0, lostBecause: undefined });
      else if (member) this.enter(name);
      else if (known.member) this.lose(name, 'it was not among your rooms when the new connection loaded them');
    }
    this.selected ??= this.members[0]?.name ?? rooms[0]?.name;
  }

  enter(name: string): void {
    const room = this.rooms.get(name);
    if (room === undefined) return;
    room.member = true;
    room.lostBecause = undefined;
  }

  exit(name: string): void {
    const room = this.rooms.get(name);
    if (room !== undefined) room.member = false;
  }

  lose(name: string, because: string): void {
    const room = this.rooms.get(name);
    if (room === undefined || (!room.member && room.lostBecause === because)) return;
    room.member = false;
    room.unread = 0;
    room.lostBecause = because;
    room.transcript.note('bad', `You are not in this room any more: ${because}.`);
  }

  hear(message: RoomMessage, isOwn: boolean): HTMLElement | undefined {
    const room = this.rooms.get(message.room);
    if (room === undefined) return undefined;
    if (message.kind === 'said' && this.selected !== room.name) room.unread++;
    return room.transcript.add(message, isOwn);
  }

  forget(): void {
    this.rooms.clear();
    this.selected = undefined;
  }

  draw(): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.room : undefined;
    const all = [...this.rooms.values()];
    const others = all.filter(({ member }) => !member);
    this.mine.replaceChildren(...all.filter(({ member }) => member).map((room) => this.makeItem(room)));
    if (this.mine.children.length === 0) this.mine.append(make('li', 'empty', 'You are in no room. Join one below.'));
    this.others.replaceChildren(...others.map((room) => this.makeItem(room)));
    byId('other-rooms-part').hidden = others.length === 0;
    if (focused !== undefined) document.querySelector<HTMLElement>(`.room[data-room="${focused}"]`)?.focus();
  }

  private makeItem(room: KnownRoom): HTMLElement {
    const open = makeButton('room', '', () => this.acts.select(room.name));
    open.append(make('span', 'room-name', room.name));
    open.dataset.room = room.name;
    if (room.name === this.selected) open.ariaCurrent = 'true';
    if (room.unread > 0) {
      const badge = make('span', 'badge', String(room.unread));
      badge.ariaLabel = `${room.unread} unread`;
      open.append(badge);
    }
    if (room.lostBecause !== undefined) open.append(make('span', 'lost', 'removed'));
    const item = make('li', '', open);
    if (!room.member) {
      const join = makeButton('quiet', 'Join', () => this.acts.join(room.name));
      join.ariaLabel = `Join ${room.name}`;
      item.append(join);
    }
    return item;
  }
}
