import { hub, Hub, hubMethod } from '@hubline/core';
import { hubAttribute } from '@hubline/core/internal/hubs/hub-attribute.js';

export interface RoomClient {
  message(room: string, text: string): void;
}

export const tagged = hubAttribute<string>('test-tag');
export const limited = hubAttribute<{ readonly perSecond: number }>('test-limit');

export class Service {}

@tagged('base, first')
@tagged('base, second')
@hub('Rooms')
export class RoomsHub extends Hub<RoomClient> {
  constructor(readonly service: Service) {
    super();
  }

  @hubMethod()
  @tagged('base method')
  join(room: string) {
    return this.groups.add(room);
  }

  @hubMethod('Say') say(room: string, text: string) {
    return this.clients.group(room).message(room, text);
  }

  @hubMethod({ arity: [1, 2] }) roll(sides: number, times = 1): number {
    return sides * times;
  }

  @hubMethod({ name: 'add', arity: [0, 8] }) sum(...numbers: number[]): number {
    return numbers.reduce((total, number) => total + number, 0);
  }

  @hubMethod({ name: 'upload' }) store(name: string, bytes: AsyncIterable<Uint8Array>): string {
    return `${name} ${typeof bytes}`;
  }

  @hubMethod({}) async *count(from: number): AsyncGenerator<number> {
    for (let n = from; n >= 0; n--) yield n;
  }

  @limited({ perSecond: 5 }) helper(): string {
    return 'not callable';
  }

  override onConnected(): void {}
}

@tagged('sub')
@hub('lobby')
export class LobbyHub extends RoomsHub {
  @tagged('sub method, first')
  @tagged('sub method, second')
  override join(room: string) {
    return super.join(`lobby.${room}`);
  }

  @hubMethod('tell') override say(room: string, text: string) {
    return super.say(room, text.toUpperCase());
  }

  @limited({ perSecond: 1 }) @hubMethod() leave(room: string) {
    return this.groups.remove(room);
  }

  override onDisconnected(): void {}
}

/** Extends a hub and is none itself. */
export class UndeclaredHub extends RoomsHub {}

@hub('rooms')
export class SecondRoomsHub extends Hub {
  override onReconnected(): void {}
}

@hub('no spaces')
export class BadNameHub extends Hub {}

@hub('twins')
export class TwinsHub extends Hub {
  @hubMethod() first(): void {}
  @hubMethod('FIRST') second(): void {}
}

export class ChangedBase extends Hub {
  @hubMethod('one') change(): void {}
}

@hub('changed')
export class ChangedHub extends ChangedBase {
  @hubMethod() override change(): void {}
  @hubMethod('one') other(): void {}
}

/** Shapes of parameters for which the compiler asks nothing, or what is given. */
@hub('shapes')
export class ShapesHub extends Hub {
  // oxlint-disable-next-line typescript/no-explicit-any
  @hubMethod() untyped(first: any, second: unknown): unknown {
    return first ?? second;
  }

  @hubMethod() generic<T>(value: T): T {
    return value;
  }

  @hubMethod() maybe(value: string | undefined): string | undefined {
    return value;
  }

  @hubMethod({ arity: [1, 2] }) optionalStream(name: string, bytes?: AsyncIterable<Uint8Array>): string {
    return bytes === undefined ? name : '';
  }

  @hubMethod({ arity: [2, 2] }) early(first = 1, second: number): number {
    return first + second;
  }

  @hubMethod({ arity: [2, 2] }) tuple(...pair: [first: string, second: string]): string {
    return pair.join();
  }

  @hubMethod({ arity: [1, 4] }) streams(name: string, ...streams: AsyncIterable<string>[]): number {
    return name.length + streams.length;
  }
}
