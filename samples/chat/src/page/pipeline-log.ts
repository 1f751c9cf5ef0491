import type { PassedModule, PipelineEvent, ResumeReport } from '../server/chat-contract.js';
import { byId, count, make, seconds, timeOf } from './dom.js';

const maxItems = 80;
const stages = ['authorizeConnect', 'connect', 'rejoiningGroups', 'reconnect', 'invoke', 'send', 'disconnect'] as const;
const litMs = 1_200;

/** What a resume brought, as the page has seen it. */
export interface ResumeOutcome {
  readonly replayed: number;
  /** Rooms that the page did not know to be in. */
  readonly added: readonly string[];
  readonly refused: readonly { readonly group: string; readonly reason: string }[];
}

/** What happened: the plug, the connection, and each event with the modules that it passed; the newest on top. */
export class PipelineLog {
  private readonly list = byId('log');
  private readonly lamps = new Map(stages.map((stage) => [stage, makeLamp(stage)]));

  constructor() {
    byId('rail').append(...this.lamps.values());
  }

  /** A line about the connection. */
  line(tone: 'plain' | 'good' | 'bad' | 'warn', text: string): void {
    const item = make('li', 'log-line', make('span', 'log-text', text), makeTime(Date.now()));
    item.dataset.tone = tone;
    this.add(item);
  }

  /** Events that belong together. */
  events(events: readonly PipelineEvent[], outcome?: ResumeOutcome): void {
    for (const event of events) {
      this.light(event.stage);
      if (event.sends.length > 0) this.light('send', event.sends.length);
    }
    const last = events.at(-1);
    if (last === undefined) return;
    const item = make('li', 'log-card');
    const title = titleOf(last);
    if (title !== undefined) item.append(make('div', 'log-title', make('strong', '', title), makeTime(last.at)));
    if (last.resume !== undefined && outcome !== undefined) item.append(...describeResume(last.resume, outcome));
    item.dataset.kind = last.stage;
    item.append(...events.map((event) => makeRow(event, title === undefined)));
    this.add(item);
  }

  clear(): void {
    this.list.replaceChildren();
  }

  private add(item: HTMLElement): void {
    this.list.prepend(item);
    while (this.list.children.length > maxItems) this.list.lastElementChild?.remove();
  }

  private light(stage: PipelineEvent['stage'], times = 1): void {
    const lamp = this.lamps.get(stage);
    if (lamp === undefined) return;
    const passed = Number(lamp.dataset.passed ?? 0) + times;
    lamp.dataset.passed = String(passed);
    const number = lamp.querySelector('.lamp-count');
    if (number) number.textContent = String(passed);
    lamp.classList.add('lit');
    setTimeout(() => lamp.classList.remove('lit'), litMs);
  }
}

function makeLamp(stage: string): HTMLElement {
  return make('li', 'lamp', make('span', 'lamp-name', stage), make('span', 'lamp-count', '0'));
}

function titleOf({ stage, resume }: PipelineEvent): string | undefined {
  if (stage === 'connect') return 'A new connection';
  if (resume === undefined) return undefined;
  if (resume.newLife) return 'Back at a server that had forgotten it';
  return resume.downForMs === undefined ? 'Back' : `Back after ${seconds(resume.downForMs)}`;
}

function describeResume(resume: ResumeReport, { replayed, added, refused }: ResumeOutcome): HTMLElement[] {
  const complete = resume.complete ? 'complete: nothing is missing' : 'incomplete: something may be missing';
  const facts = make(
    'p',
    'facts',
    makeFact(resume.complete ? 'good' : 'warn', complete),
    makeFact(replayed > 0 ? 'replay' : 'plain', `${count(replayed, 'message')} replayed`),
  );
  const rooms = make('ul', 'verdicts');
  for (const group of resume.groups) {
    const isNew = added.includes(group);
    rooms.append(makeVerdict(isNew ? 'added' : 'kept', group, isNew ? 'added: it was not claimed' : 'rejoined'));
  }
  for (const { group, reason } of refused) rooms.append(makeVerdict('refused', group, `refused: ${reason}`));
  return [facts, rooms];
}

function makeFact(tone: string, text: string): HTMLElement {
  const fact = make('span', 'fact', text);
  fact.dataset.tone = tone;
  return fact;
}

function makeVerdict(verdict: 'kept' | 'added' | 'refused', room: string, text: string): HTMLElement {
  const item = make('li', 'verdict', make('span', 'verdict-room', `#${room}`), make('span', 'verdict-text', text));
  item.dataset.verdict = verdict;
  return item;
}

function makeRow(event: PipelineEvent, withTime: boolean): HTMLElement {
  const took = event.tookMs < 0.1 ? '< 0.1 ms' : `${event.tookMs.toFixed(1)} ms`;
  const row = make(
    'div',
    'event',
    make('span', 'stage', event.stage),
    make('span', 'took', withTime ? `${took} · ${timeOf(event.at)}` : took),
    makeChain(event.modules, event.innermost),
  );
  row.dataset.stage = event.stage;
  row.dataset.outcome = event.refusal === undefined ? 'passed' : 'refused';
  if (event.refusal !== undefined) row.append(make('span', 'event-note refusal', `refused: ${event.refusal}`));
  if (event.groups !== undefined) row.append(make('span', 'event-note', describeGroups(event.groups)));
  if (event.reason !== undefined) row.append(make('span', 'event-note', `of the connection before: ${event.reason}`));
  for (const { what, modules } of event.sends)
    row.append(make('span', 'sent', make('span', 'stage', 'send'), makeChain(modules, what)));
  return row;
}

function makeChain(modules: readonly PassedModule[], innermost: string): HTMLElement {
  const chain = make('span', 'chain');
  for (const { name, builtIn } of modules) {
    const module = make('span', builtIn ? 'built-in' : '', name);
    if (builtIn) module.title = 'Built into Hubline';
    chain.append(module);
  }
  if (innermost !== '') chain.append(make('span', 'innermost', innermost));
  return chain;
}

function describeGroups({ claimed, given }: NonNullable<PipelineEvent['groups']>): string {
  return `claimed ${claimed.join(', ') || 'nothing'} → given ${given.join(', ') || 'nothing'}`;
}

function makeTime(at: number): HTMLElement {
  return make('time', '', timeOf(at));
}
