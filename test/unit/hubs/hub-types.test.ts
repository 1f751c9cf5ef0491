import {
  type CallerClients,
  type ClientContract,
  hub,
  Hub,
  type HubClients,
  type HubHandle,
  hubMethod,
  type HubMethods,
  type HubType,
} from '@hubline/core';
import { expect } from 'chai';

interface Client {
  message(text: string, urgent?: boolean): void;
  later(): Promise<void>;
  confirm(question: string): boolean;
  confirmLater(question: string): Promise<boolean>;
  optional?(count: number): void;
  inspect(): void;
  readonly title: string;
}

@hub('typed')
class TypedHub extends Hub<Client> {
  protected readonly seen = new Set<string>();
  readonly title = '';

  constructor(readonly service: { readonly name: string }) {
    super();
  }

  @hubMethod() say(text: string): number {
    return text.length;
  }

  override onConnected(): void {}
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

declare function handleOf<C extends ClientContract>(type: HubType<Hub<C>>): HubHandle<C>;
declare function list(...hubs: readonly HubType[]): void;

/** Compiled and never called: each line below a comment must be an error. */
export async function doesNotCompile(clients: CallerClients<Client>, outside: HubClients<Client>): Promise<void> {
  await clients.all.message('a');
  await clients.group('g', { except: ['a'] }).message('a', true);
  await outside.client('a').later();
  await clients.caller.optional(1);
  // @ts-expect-error its result would be lost
  await clients.all.confirm('Sure?');
  // @ts-expect-error also the one that comes later
  await clients.caller.confirmLater('Sure?');
  // @ts-expect-error there is no such method
  await clients.all.massage('a');
  // @ts-expect-error it is no method
  void clients.all.title;
  // @ts-expect-error every object may be asked for this
  void clients.all.inspect;
  // @ts-expect-error the arguments are those of the client's method
  await clients.all.message(1);
  // @ts-expect-error none is missing
  await clients.all.message();
  // @ts-expect-error outside a call there is no caller
  void outside.caller;
  // @ts-expect-error nor others
  outside.othersInGroup('g');
}

/** The same for contracts. */
export function refusedContracts(): unknown[] {
  // @ts-expect-error 'then' would make the proxy a promise
  class Then extends Hub<{ then(): void }> {}
  // @ts-expect-error 'toJSON' is called by whoever encodes
  class Json extends Hub<{ toJSON(): void }> {}
  // @ts-expect-error 'ask' is taken
  class Ask extends Hub<{ ask(): void }> {}
  // @ts-expect-error a text has no methods of a client
  class Text extends Hub<string> {}
  class Undeclared extends Hub {
    send(): unknown {
      // @ts-expect-error a hub without a client type calls nothing
      return this.clients.all.message('a');
    }
  }
  return [Then, Json, Ask, Text, Undeclared];
}

/** What the client of a hub is comes from its class. */
export async function infersTheClient(): Promise<void> {
  const handle = handleOf(TypedHub);
  await handle.clients.all.message('a');
  holds<Same<typeof handle, HubHandle<Client>>>();
  list(TypedHub);
  // @ts-expect-error what is no hub is none
  list(Map);
}

describe('the types of a hub', () => {
  it('its methods are its public methods without those of Hub', () => {
    holds<Same<keyof HubMethods<TypedHub>, 'say'>>();
    holds<Same<HubMethods<TypedHub>['say'], (text: string) => number>>();
    expect(TypedHub.prototype).to.respondTo('say');
  });

  it('a client type that is a class or an alias of methods is a contract', () => {
    type Alias = { message(text: string): void };
    class Methods {
      message(_text: string): void {}
    }
    class AliasHub extends Hub<Alias> {}
    class MethodsHub extends Hub<Methods> {}
    expect([AliasHub, MethodsHub]).to.have.length(2);
  });
});
