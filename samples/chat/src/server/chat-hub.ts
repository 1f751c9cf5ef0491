import { randomUUID } from 'node:crypto';
import { authorize, Hub, hub, HubException, hubMethod, type DisconnectReason } from '@hubline/core';
import type { ChatClient, Room, RoomMessage } from './chat-contract.js';
import type { ChatStore } from './chat-store.js';
import type { Presence } from './presence.js';

const maxTextLength = 500;

/** The rooms: a person is in the groups that the store says. */
@hub('chat')
@authorize()
export class ChatHub extends Hub<ChatClient> {
  constructor(
    private readonly store: ChatStore,
    private readonly presence: Presence,
  ) {
    super();
  }

  override async onConnected(): Promise<void> {
    this.presence.add(this.context.connection);
    for (const room of this.store.roomsOf(this.user.id)) await this.groups.add(room);
  }

  override onReconnected(): void {
    // Nobody here remembers it after a restart.
    this.presence.add(this.context.connection);
  }

  override onDisconnected(_reason: DisconnectReason): void {
    this.presence.remove(this.context.connection);
  }

  @hubMethod() rooms(): readonly Room[] {
    const mine = new Set(this.store.roomsOf(this.user.id));
    return this.store.rooms().map((room) => ({ ...room, member: mine.has(room.name) }));
  }

  @hubMethod() async join(name: unknown): Promise<void> {
    const room = this.roomCalled(name);
    const isNew = this.store.join(this.user.id, room);
    try {
      await this.forEachOfMine((connectionId) => this.groups.add(room, { connectionId }));
    } catch (error) {
      if (isNew) this.store.leave(this.user.id, room);
      throw error;
    }
    await this.clients.user(this.user.id).entered(room);
    if (isNew) await this.clients.group(room).message(this.message(room, 'joined'));
  }

  @hubMethod() async leave(name: unknown): Promise<void> {
    const room = this.roomCalled(name);
    const wasIn = this.store.leave(this.user.id, room);
    try {
      await this.forEachOfMine((connectionId) => this.groups.remove(room, { connectionId }));
    } catch (error) {
      if (wasIn) this.store.join(this.user.id, room);
      throw error;
    }
    await this.clients.user(this.user.id).exited(room, 'you');
    if (wasIn) await this.clients.group(room).message(this.message(room, 'left'));
  }

  @hubMethod() async say(name: unknown, text: unknown): Promise<void> {
    const room = this.roomCalled(name);
    if (!this.store.isMember(this.user.id, room)) throw new HubException(`You are not in #${room}.`);
    const said = typeof text === 'string' ? text.trim() : '';
    if (said === '') throw new HubException('There is nothing to say in an empty message.');
    if (said.length > maxTextLength)
      throw new HubException(`A message has at most ${maxTextLength} characters; this one has ${said.length}.`);
    await this.clients.group(room).message(this.message(room, 'said', said));
  }

  private message(room: string, kind: RoomMessage['kind'], text = ''): RoomMessage {
    return { id: randomUUID(), room, from: this.user.name, kind, text, at: this.context.clock.now() };
  }

  private roomCalled(name: unknown): string {
    if (typeof name !== 'string' || !this.store.hasRoom(name)) throw new HubException('There is no such room.');
    return name;
  }

  /** A membership is a person's, so it changes for all pages that they have open. */
  private async forEachOfMine(change: (connectionId: string) => Promise<unknown>): Promise<void> {
    await Promise.all(this.presence.of(this.user.id).map(({ id }) => change(id)));
  }
}
