import {
  anonymousUser,
  type Connection,
  type ConnectionRequest,
  type HubCallerContext,
  type SendTarget,
  type User,
} from '@hubline/core';
import { systemClock } from '@hubline/core/internal/clock.js';
import type { HubCall } from '@hubline/core/internal/hubs/hub-call.js';
import { type HubDescriptor, unknownHub } from '@hubline/core/internal/hubs/hub-descriptor.js';
import type { GroupChanger, HubSender } from '@hubline/core/internal/hubs/hub-sender.js';
import { warningLogger } from '@hubline/core/internal/logger.js';

export interface Sent {
  readonly hub: HubDescriptor;
  readonly target: SendTarget;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly call: unknown;
}

/** Notes what is sent. */
export class NotingSender implements HubSender<HubCallerContext> {
  readonly sent: Sent[] = [];
  readonly answer = Promise.resolve();

  send(hub: HubDescriptor, target: SendTarget, method: string, args: readonly unknown[], call: unknown): Promise<void> {
    this.sent.push({ hub, target, method, args, call });
    return this.answer;
  }

  get targets(): readonly SendTarget[] {
    return this.sent.map(({ target }) => target);
  }
}

/** Notes what is changed. It does not know the connection 'gone'. */
export class NotingChanger implements GroupChanger {
  readonly changes: string[] = [];

  join(hub: HubDescriptor, connectionId: string, group: string): 'joined' | 'gone' {
    this.changes.push(`${hub.name}: ${connectionId} joins ${group}`);
    return connectionId === 'gone' ? 'gone' : 'joined';
  }

  leave(hub: HubDescriptor, connectionId: string, group: string): Promise<'left' | 'gone'> {
    this.changes.push(`${hub.name}: ${connectionId} leaves ${group}`);
    return Promise.resolve(connectionId === 'gone' ? 'gone' : 'left');
  }

  unseen(hub: HubDescriptor, error: unknown): void {
    this.changes.push(`${hub.name}: unseen ${String(error)}`);
  }
}

export function fakeContext(connectionId = 'me', user: User = anonymousUser): HubCallerContext {
  const request: ConnectionRequest = {
    method: 'GET',
    path: '/chat',
    query: new URLSearchParams(),
    headers: {},
    remoteAddress: undefined,
  };
  const items = new Map<unknown, unknown>();
  const { signal } = new AbortController();
  const connection: Connection = {
    id: connectionId,
    protocol: 'json',
    transport: 'webSockets',
    state: 'connected',
    user,
    request,
    items,
    signal,
  };
  return {
    connectionId,
    connection,
    request,
    user,
    items,
    state: {},
    signal,
    clock: systemClock,
    logger: warningLogger(),
    abort: () => undefined,
    progress: () => undefined,
  };
}

export interface FakeCall extends HubCall {
  readonly sender: NotingSender;
  readonly groups: NotingChanger;
}

export function fakeCall(context: HubCallerContext = fakeContext()): FakeCall {
  return { descriptor: unknownHub('chat'), sender: new NotingSender(), groups: new NotingChanger(), context };
}
