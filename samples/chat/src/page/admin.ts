import type { Member } from '../server/chat-contract.js';
import { ask } from './api.js';
import { byId, make, makeButton } from './dom.js';
import { enableThemeButton } from './theme-button.js';

interface Overview {
  readonly members: readonly Member[];
  readonly rooms: readonly string[];
}

const refreshMs = 1_000;
const effects: Readonly<Record<string, string>> = {
  module: 'The database is changed. When they come back they claim the room, and store-membership refuses it.',
  revocation: 'The database is changed, and server.groups.revoke takes the membership: they cannot even claim it.',
};
const states: Readonly<Record<string, string>> = {
  opening: 'connecting',
  connected: 'connected',
  waiting: 'cut off',
  resuming: 'coming back',
};
const clients: Readonly<Record<string, string>> = { aspnet: 'classic', json: 'modern' };

let shown = '';

function chosenEffect(): string {
  return document.querySelector<HTMLInputElement>('#by input:checked')?.value ?? 'module';
}

async function refresh(): Promise<void> {
  try {
    const overview = await ask<Overview>('GET', 'admin/members');
    byId('problem').textContent = '';
    // What somebody is about to press must not be made anew under their finger.
    const next = JSON.stringify(overview);
    if (next !== shown) draw(overview);
    shown = next;
  } catch (error) {
    byId('problem').textContent = (error as Error).message;
  }
}

function draw({ members, rooms }: Overview): void {
  const focused = document.activeElement?.getAttribute('data-key');
  byId('members').replaceChildren(...members.map((member) => makeMember(member, rooms)));
  byId('empty').hidden = members.length > 0;
  if (focused) document.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function makeMember(member: Member, rooms: readonly string[]): HTMLElement {
  const list = make('ul', 'member-rooms', ...member.rooms.map((room) => makeMembership(member, room)));
  if (member.rooms.length === 0) list.append(make('li', 'small', 'in no room'));
  const others = rooms.filter((room) => !member.rooms.includes(room));
  const item = make(
    'li',
    'member',
    make('div', '', make('span', 'member-name', member.name), makeStates(member)),
    list,
    others.length > 0 ? makeAdd(member, others) : undefined,
  );
  item.dataset.user = member.id;
  return item;
}

function makeStates({ connections }: Member): HTMLElement {
  const lines = connections.map(({ state, protocol }) => {
    const line = make('span', 'state', `${states[state] ?? state}, ${clients[protocol] ?? protocol}`);
    line.dataset.state = state;
    return line;
  });
  return make('span', 'member-state', ...(lines.length > 0 ? lines : [make('span', 'state small', 'not here')]));
}

function makeMembership(member: Member, room: string): HTMLElement {
  const remove = makeButton('remove', '✕', () => {
    const by = chosenEffect();
    void act('remove', { user: member.id, room, by }, `${member.name} was removed from #${room}.`);
  });
  remove.ariaLabel = `Remove ${member.name} from ${room}`;
  remove.dataset.key = `${member.id} ${room}`;
  return make('li', 'membership', `#${room}`, remove);
}

function makeAdd(member: Member, rooms: readonly string[]): HTMLElement {
  const select = make('select', 'add', make('option', '', 'Add to a room'));
  select.append(...rooms.map((room) => make('option', '', room)));
  select.ariaLabel = `Add ${member.name} to a room`;
  select.dataset.key = member.id;
  select.addEventListener('change', () => {
    const room = select.value;
    void act('add', { user: member.id, room }, `${member.name} was added to #${room}.`);
  });
  return select;
}

async function act(what: 'add' | 'remove', body: object, done: string): Promise<void> {
  try {
    await ask('POST', `admin/${what}`, body);
    byId('done').textContent = done;
    await refresh();
  } catch (error) {
    byId('done').textContent = '';
    byId('problem').textContent = (error as Error).message;
  }
}

function explain(): void {
  byId('by-text').textContent = effects[chosenEffect()] ?? '';
}

byId('by').addEventListener('change', explain);
enableThemeButton();
explain();
await refresh();
setInterval(() => {
  if (!document.hidden) void refresh();
}, refreshMs);
