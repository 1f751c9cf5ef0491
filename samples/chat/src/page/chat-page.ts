import type { PipelineEvent, ResumeReport, Room, RoomMessage } from '../server/chat-contract.js';
import { ask } from './api.js';
import { ClassicConnection } from './classic-connection.js';
import { clientNames, type ChatConnection, type ClientKind, type ConnectionState } from './connection.js';
import { byId, count, make, timeOf } from './dom.js';
import { ModernConnection } from './modern-connection.js';
import { network } from './network.js';
import { PipelineLog } from './pipeline-log.js';
import { RoomList } from './room-list.js';
import { StateBand } from './state-band.js';
import { markReplayed } from './transcript.js';

/** What the two built-in reasons mean; a module's own are told as they are. */
const reasons: Readonly<Record<string, string>> = {
  revoked: 'revoked: an administrator took the membership away while you were cut off',
  dropped: 'dropped: the module did not give it back and said no reason',
};

/** The chat, once somebody is signed in. */
export class ChatPage {
  private readonly log = new PipelineLog();
  private readonly band = new StateBand();
  private choices = 0;
  private readonly rooms = new RoomList({ select: (room) => this.choose(room), join: (room) => this.join(room) });
  private readonly text = byId<HTMLInputElement>('text');
  private readonly problem = byId('problem');
  private connection: ChatConnection | undefined;
  private name = '';
  private kind: ClientKind = 'classic';
  private state: ConnectionState = 'disconnected';
  private lostAt: number | undefined;
  /** What has come since the connection was lost, until the server says that this was all. */
  private arriving: HTMLElement[] | undefined;
  /** Whether the end of the transcript is in view: who reads further up is not pulled away. */
  private followsEnd = true;

  constructor(private readonly signedOut: (why?: string) => void) {
    byId('restore').addEventListener('click', () => this.turnNetwork());
    byId('plug').addEventListener('click', () => this.turnNetwork());
    byId('messages').addEventListener('scroll', ({ target }) => {
      const { scrollHeight, scrollTop, clientHeight } = target as HTMLElement;
      this.followsEnd = scrollHeight - scrollTop - clientHeight < 40;
    });
    byId('again').addEventListener('click', () => this.connect(this.kind));
    byId('sign-out').addEventListener('click', () => void this.signOut());
    byId('leave').addEventListener('click', () => this.leave());
    byId('join').addEventListener('click', () => this.rooms.current && this.join(this.rooms.current.name));
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.say();
    });
    for (const choice of document.querySelectorAll<HTMLInputElement>('#client input'))
      choice.addEventListener('change', () => this.connect(choice.value as ClientKind));
    for (const tab of document.querySelectorAll<HTMLElement>('#tabs button'))
      tab.addEventListener('click', () => this.showPart(tab.dataset.part ?? 'talk'));
  }

  open(name: string, kind: ClientKind): void {
    this.name = name;
    byId('me').textContent = name;
    this.showPart('talk');
    this.connect(kind);
  }

  /** Makes a new connection in the place of the one that is there. */
  private connect(kind: ClientKind): void {
    const before = this.connection;
    this.connection = undefined;
    void before?.stop();
    this.kind = kind;
    sessionStorage.setItem('client', kind);
    const choice = document.querySelector<HTMLInputElement>(`#client input[value="${kind}"]`);
    if (choice) choice.checked = true;
    byId('chat').dataset.client = kind;

    // What an older connection still says does not count.
    const current =
      <Args extends readonly unknown[]>(handle: (...args: Args) => void) =>
      (...args: Args): void => {
        if (this.connection === connection) handle(...args);
      };
    const events = {
      state: current((state: ConnectionState) => this.changeState(state)),
      message: current((message: RoomMessage) => this.hear(message)),
      entered: current((room: string) => this.entered(room)),
      exited: current((room: string, by: string) => this.exited(room, by)),
      pipeline: current((told: readonly PipelineEvent[]) => this.watch(told)),
    };
    const connection: ChatConnection =
      kind === 'classic' ? new ClassicConnection(events) : new ModernConnection(events);
    this.connection = connection;
    this.log.line('plain', `Connecting with ${clientNames[kind]}.`);
    connection.start().catch((error: unknown) => {
      if (this.connection !== connection) return;
      this.log.line('bad', `It could not connect: ${(error as Error).message}`);
      this.changeState('disconnected');
      void this.checkSession();
    });
  }

  /** The server may have other data than when the person signed in. */
  private async checkSession(): Promise<void> {
    const session = await ask<{ name: string | null }>('GET', 'session').catch(() => undefined);
    if (session?.name === null) await this.signOut('The server does not know you any more. Please come in again.');
  }

  private changeState(state: ConnectionState): void {
    const before = this.state;
    if (state === before) return;
    this.state = state;
    this.band.show(state);
    if (state === 'reconnecting') {
      this.lostAt = Date.now();
      this.arriving = [];
      this.log.line('warn', 'The connection is lost. The client tries to come back every 2 seconds.');
    } else if (state === 'disconnected' && before !== 'connecting') {
      this.lostAt ??= Date.now();
      this.log.line('bad', 'The client has given up.');
    } else if (state === 'connected') {
      this.log.line('good', before === 'reconnecting' ? 'Connected again.' : 'Connected.');
      // A classic client that is back tells its rooms with the event `reconnect`.
      if (before !== 'reconnecting' || this.kind === 'modern') void this.begin();
    }
    this.draw();
  }

  /** A new connection knows nothing: the hub has loaded the rooms, and the page asks which. */
  private async begin(): Promise<void> {
    const { lostAt } = this;
    this.lostAt = undefined;
    this.arriving = undefined;
    try {
      const rooms = await this.connection?.call<readonly Room[]>('rooms');
      if (rooms === undefined) return;
      this.rooms.take(rooms);
      const mine = this.rooms.members.map(({ name }) => `#${name}`).join(', ') || 'none';
      this.log.line('plain', `The hub loaded the rooms from the database: ${mine}.`);
      if (lostAt !== undefined) this.admitGap(lostAt);
    } catch (error) {
      this.fail(error);
    }
    this.select(this.rooms.selected);
  }

  private admitGap(lostAt: number): void {
    const times = `between ${timeOf(lostAt)} and ${timeOf(Date.now())}`;
    const why = `This is a new connection. What was said here ${times} is not replayed to it.`;
    for (const { transcript } of this.rooms.members) transcript.note('warn', why);
    this.log.line('warn', `Nothing is replayed to a new connection: what was said ${times} is missing.`);
  }

  private watch(events: readonly PipelineEvent[]): void {
    const resume = events.find((event) => event.resume !== undefined)?.resume;
    this.log.events(events, resume && this.resumed(resume));
    this.draw();
  }

  /** Everything that came between the loss and this was replayed: the server tells of it after that. */
  private resumed(resume: ResumeReport): Parameters<PipelineLog['events']>[1] {
    const arrived = this.arriving ?? [];
    this.arriving = undefined;
    this.lostAt = undefined;
    for (const entry of arrived) markReplayed(entry);
    const before = new Set(this.rooms.members.map(({ name }) => name));
    const added = resume.groups.filter((group) => !before.has(group));
    for (const group of added) {
      this.rooms.enter(group);
      this.rooms.get(group)?.transcript.note('plain', 'The module put you into this room when you came back.');
    }
    const refused = resume.refused.map(({ group, reason }) => ({ group, reason: reasons[reason] ?? reason }));
    for (const { group, reason } of refused) this.rooms.lose(group, reason);
    for (const { name } of this.rooms.members)
      if (!resume.groups.includes(name)) this.rooms.lose(name, 'it did not come back with the connection');
    if (!resume.complete)
      for (const { transcript } of this.rooms.members)
        transcript.note('warn', 'You are back, but the server cannot tell whether you missed something here.');
    return { replayed: arrived.length, added, refused };
  }

  private hear(message: RoomMessage): void {
    const entry = this.rooms.hear(message, message.from === this.name);
    if (entry !== undefined) this.arriving?.push(entry);
    this.draw();
  }

  private entered(room: string): void {
    this.rooms.enter(room);
    this.draw();
  }

  private exited(room: string, by: string): void {
    if (by === 'you') this.rooms.exit(room);
    // Whoever was away is told the reason with the event `reconnect`, which is about to come.
    else if (this.arriving !== undefined) return;
    else if (this.rooms.get(room)?.member === true) this.rooms.lose(room, 'an administrator removed you');
    this.draw();
  }

  private select(room: string | undefined): void {
    this.rooms.selected = room;
    const { current } = this.rooms;
    if (current !== undefined) {
      current.unread = 0;
      byId('messages').replaceChildren(current.transcript.list);
      this.followsEnd = true;
    }
    this.showPart('talk');
    this.draw();
    if (!this.text.disabled && matchMedia('(min-width: 760px)').matches) this.text.focus();
  }

  /** A click decides which room is open, also while another room is still being joined. */
  private choose(room: string): void {
    this.choices++;
    this.select(room);
  }

  private join(room: string): void {
    const { choices } = this;
    this.act('join', room).then(
      () => {
        if (this.choices === choices) this.select(room);
      },
      (error: unknown) => this.fail(error),
    );
  }

  private leave(): void {
    const { selected } = this.rooms;
    if (selected === undefined) return;
    this.act('leave', selected).then(
      () => byId('join').focus(),
      (error: unknown) => this.fail(error),
    );
  }

  private say(): void {
    const { selected } = this.rooms;
    const { value } = this.text;
    if (selected === undefined || value.trim() === '') return;
    this.act('say', selected, value).then(
      () => {
        if (this.text.value === value) this.text.value = '';
      },
      (error: unknown) => this.fail(error),
    );
  }

  private async act(method: string, ...args: readonly string[]): Promise<void> {
    this.problem.textContent = '';
    await this.connection?.call(method, ...args);
  }

  private fail(error: unknown): void {
    this.problem.textContent = (error as Error).message;
  }

  private turnNetwork(): void {
    if (network.isCut) {
      network.restore();
      this.log.line('plain', 'You plugged the network in again.');
    } else {
      network.cut();
      this.log.line('bad', 'You cut the network.');
      ask('POST', 'network/cut').catch((error: unknown) => this.fail(error));
    }
    this.draw();
  }

  private async signOut(why?: string): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    network.restore();
    void connection?.stop();
    await ask('DELETE', 'session').catch((error: unknown) => this.fail(error));
    this.changeState('disconnected');
    this.lostAt = undefined;
    this.rooms.forget();
    this.log.clear();
    byId('messages').replaceChildren();
    this.signedOut(why);
  }

  private showPart(part: string): void {
    byId('chat').dataset.part = part;
    for (const tab of document.querySelectorAll<HTMLElement>('#tabs button'))
      tab.ariaCurrent = String(tab.dataset.part === part);
  }

  private draw(): void {
    this.rooms.draw();
    const room = this.rooms.current;
    const connected = this.state === 'connected';
    const canTalk = connected && !network.isCut && room?.member === true;
    byId('room-name').textContent = room === undefined ? '' : `#${room.name}`;
    byId('room-topic').textContent = room?.topic ?? '';
    byId('leave').hidden = room?.member !== true;
    byId('join').hidden = room === undefined || room.member;
    this.text.disabled = !canTalk;
    byId<HTMLButtonElement>('send').disabled = !canTalk;
    this.text.placeholder = placeholder(connected && !network.isCut, room?.name, room?.member);
    byId('empty').hidden = room === undefined || !room.transcript.isEmpty;
    byId('empty').textContent = room?.member
      ? 'Nothing has been said here since you came.'
      : 'You are not in this room.';
    if (this.followsEnd) byId('messages').scrollTop = byId('messages').scrollHeight;
    const unread = this.rooms.members.reduce((sum, { unread: one }) => sum + one, 0);
    byId('unread').replaceChildren(...(unread > 0 ? [make('span', 'badge', count(unread, '').trim())] : []));

    const plug = byId('plug');
    plug.ariaPressed = String(network.isCut);
    byId('plug-text').textContent = network.isCut ? 'Restore the network' : 'Cut the network';
    byId('tabs').dataset.state = this.state;
    byId('chat').dataset.network = network.isCut ? 'cut' : 'on';
    byId('again').hidden = this.state !== 'disconnected' || network.isCut;
    byId('connection-id').textContent = (connected && this.connection?.id) || '–';
  }
}

function placeholder(connected: boolean, room: string | undefined, member: boolean | undefined): string {
  if (!connected) return 'Not connected';
  if (room === undefined) return '';
  return member ? `Say something in #${room}` : `Join #${room} to talk`;
}
