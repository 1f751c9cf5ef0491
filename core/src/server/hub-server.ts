import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Awaitable } from '../awaitable.js';
import { systemClock } from '../clock.js';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { Heartbeat } from '../connections/heartbeat.js';
import { HubDispatcher } from '../dispatcher/hub-dispatcher.js';
import { Refusal } from '../dispatcher/refusal.js';
import { hubError } from '../errors.js';
import { Revocations } from '../groups/revocations.js';
import type { ClientContract } from '../hubs/clients.js';
import { factoryActivator } from '../hubs/hub-activator.js';
import { describeHubs, type HubDescriptor } from '../hubs/hub-descriptor.js';
import type { HubHandle } from '../hubs/hub-handle.js';
import type { HubType } from '../hubs/hub-type.js';
import type { Hub } from '../hubs/hub.js';
import { warningLogger, type Logger } from '../logger.js';
import { LocalMessageBus } from '../messaging/message-bus.js';
import { resolveLimits, type Limits } from '../options.js';
import { HubPipeline } from '../pipeline/hub-pipeline.js';
import { AspNetEndpoint } from '../protocols/aspnet/endpoint.js';
import { AspNetCoreEndpoint } from '../protocols/aspnetcore/endpoint.js';
import { KeyRing } from '../security/key-ring.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';
import { Endpoints } from './endpoints.js';
import { attachTo } from './http-attachment.js';
import type { HubServerOptions } from './hub-server-options.js';
import { OutsideHandle } from './outside-handle.js';
import { RequestGate } from './request-gate.js';
import { RequestHandler } from './request-handler.js';
import { memberOf, type Revocation, type ServerGroups } from './server-groups.js';

/** How often the log and the revocations forget what is too old. */
const sweepMs = 5_000;
const classicPath = '/signalr';

/**
 * The server: hubs, the pipeline in front of them, and the endpoints that clients of both generations connect to.
 * Classic clients find all hubs at `/signalr`; ASP.NET Core clients find each hub at its name, such as `/chat`.
 *
 * The constructor throws `HUB_NOT_A_HUB`, `HUB_NAME_INVALID`, `HUB_NAME_TAKEN`, `HUB_METHOD_TAKEN`,
 * `HUB_ARITY_INVALID`, `HUB_OPTION_UNKNOWN` or `HUB_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod, HubServer } from '@hubline/core';
 *
 * interface ChatClient { message(from: string, text: string): void }
 *
 * @hub('chat')
 * class ChatHub extends Hub<ChatClient> {
 *   @hubMethod() say(text: string) { return this.clients.all.message(this.context.connectionId, text); }
 * }
 *
 * export const server = new HubServer({ hubs: [ChatHub], keys: ['a long random text'] });
 * export const start = () => server.listen(3000);
 * ```
 */
export class HubServer {
  readonly pipeline: HubPipeline;
  readonly groups: ServerGroups;
  private readonly hubs: ReadonlyMap<string, HubDescriptor>;
  private readonly logger: Logger;
  private readonly heartbeat: Heartbeat;
  private readonly bus: LocalMessageBus<EncodedMessage>;
  private readonly revocations: Revocations;
  private readonly dispatcher: HubDispatcher;
  private readonly endpoints = new Endpoints();
  private readonly requests: RequestHandler;
  private readonly outside = new Map<HubDescriptor, HubHandle<ClientContract>>();
  private readonly detachments: (() => void)[] = [];
  private hasStarted = false;
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private readonly listening: Server[] = [];

  constructor(options: HubServerOptions) {
    const {
      hubs,
      activator,
      authenticate: _a,
      keys,
      cors: _c,
      detailedErrors = false,
      logger,
      clock,
      ...limits
    } = options;
    this.hubs = describeHubs(hubs);
    const time = clock ?? systemClock;
    this.logger = logger ?? warningLogger();
    const resolved: Limits = resolveLimits(limits);
    this.heartbeat = new Heartbeat(time);
    this.bus = new LocalMessageBus(time, resolved, randomBytes(6).toString('hex'));
    this.revocations = new Revocations(time, resolved.groupsTokenLifetimeMs);
    this.pipeline = new HubPipeline(() => this.hubs.values());
    this.dispatcher = new HubDispatcher({
      hubs: this.hubs,
      activator: activator ?? factoryActivator(),
      bus: this.bus,
      registry: new ConnectionRegistry(this.heartbeat, resolved),
      revocations: this.revocations,
      heartbeat: this.heartbeat,
      protector: this.makeKeyRing(keys),
      limits: resolved,
      clock: time,
      logger: this.logger,
    });
    this.groups = { revoke: (revocation) => this.revoke(revocation) };
    this.endpoints.map('aspnet', classicPath, new AspNetEndpoint(this.dispatcher, detailedErrors));
    for (const hub of this.hubs.values())
      this.endpoints.map('aspnetcore', `/${hub.name}`, new AspNetCoreEndpoint(this.dispatcher, hub, detailedErrors));
    this.requests = new RequestHandler(this.endpoints, new RequestGate(options), this.logger, () => this.ready());
  }

  /** How many connections the server holds, those that are away included. */
  get connectionCount(): number {
    return this.dispatcher.ground.registry.size;
  }

  /**
   * Composes the pipeline; from here on it cannot be changed. Called by everything that needs it, and a second time
   * without effect. Rejects with `HUB_SERVER_STOPPED`.
   */
  start(): Promise<void> {
    if (this.stopping !== undefined) return Promise.reject(hubError('HUB_SERVER_STOPPED'));
    return (this.starting ??= Promise.resolve().then(() => {
      this.dispatcher.compose(this.pipeline);
      this.heartbeat.start();
      this.sweepLater();
      this.hasStarted = true;
    }));
  }

  /**
   * A hub from outside of its calls: whom to send to, and groups.
   *
   * Throws `HUB_UNKNOWN`.
   */
  hub<Client extends ClientContract>(type: HubType<Hub<Client>>): HubHandle<Client> {
    const descriptor = this.describe(type);
    let handle = this.outside.get(descriptor);
    if (handle === undefined) {
      const { sends, groupChanges } = this.dispatcher;
      handle = new OutsideHandle(descriptor, sends, groupChanges, () => this.begin());
      this.outside.set(descriptor, handle);
    }
    return handle as HubHandle<Client>;
  }

  /**
   * Takes a request if it is one of this server's. `false` leaves it to others, untouched.
   *
   * @example
   * ```ts
   * import type { IncomingMessage, ServerResponse } from 'node:http';
   * import type { HubServer } from '@hubline/core';
   *
   * export const middleware = (server: HubServer) => (request: IncomingMessage, response: ServerResponse, next: () => void) => {
   *   if (!server.handleRequest(request, response)) next();
   * };
   * ```
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    return this.requests.handleRequest(request, response);
  }

  /** Takes an upgrade if it is one of this server's. `false` leaves the socket to others, untouched. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.requests.handleUpgrade(request, socket, head);
  }

  /**
   * Serves the endpoints on an HTTP server. Requests for other paths go to the application's own listeners, whether
   * they were added before or later. The server's own time-outs and limits stay as they are.
   */
  attach(server: Server): this {
    this.detachments.push(attachTo(server, this.requests));
    this.start().catch((error: unknown) => this.logger.error({ error }, 'The server could not start.'));
    return this;
  }

  /** Starts an HTTP server of its own; answers the port. Port 0 takes a free one. */
  async listen(port: number, host?: string): Promise<number> {
    await this.start();
    // Balancers keep connections for a minute; who closes first must be they. Tokens travel in URLs.
    const server = createServer({ keepAliveTimeout: 65_000, maxHeaderSize: 32 * 1024 }, (_request, response) => {
      response.statusCode = 404;
      response.end();
    });
    this.attach(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.listening.push(server);
    return (server.address() as AddressInfo).port;
  }

  /**
   * Ends every connection, with leave to come back to another process, and tells the hubs. What is not done after
   * `graceMs` (default: 5 s) is cut.
   */
  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    return (this.stopping ??= this.close(options.graceMs ?? 5_000));
  }

  private async close(graceMs: number): Promise<void> {
    await this.starting?.catch(() => undefined);
    for (const server of this.listening) server.close();
    await this.within(graceMs, this.dispatcher.endAll());
    await this.within(graceMs, Promise.all([...this.endpoints].map((endpoint) => endpoint.drained())));
    for (const endpoint of this.endpoints) endpoint.close();
    for (const server of this.listening) server.closeAllConnections();
    for (const detach of this.detachments) detach();
    this.heartbeat.stop();
  }

  private within(graceMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = graceMs === 0 ? () => undefined : this.dispatcher.clock.after(graceMs, resolve);
      if (graceMs === 0) setImmediate(resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Starts on the first use from outside; nothing to wait for when that has been. */
  private begin(): Awaitable<void> {
    return this.hasStarted && this.stopping === undefined ? undefined : this.start();
  }

  /** Requests wait for the start; none is taken any more when the server stops. */
  private async ready(): Promise<void> {
    if (this.stopping !== undefined) throw new Refusal(503, 'The server is stopping.');
    await this.start();
  }

  private revoke(revocation: Revocation): void {
    const { hub, group } = revocation;
    if (typeof group !== 'string' || group === '')
      throw hubError('HUB_GROUP_NAME_INVALID', { why: 'it is empty, or not a text' });
    this.dispatcher.revoke(this.describe(hub), group, memberOf(revocation));
  }

  private describe(hub: HubType | string): HubDescriptor {
    for (const descriptor of this.hubs.values())
      if (descriptor.type === hub || (typeof hub === 'string' && descriptor.key === hub.toLowerCase()))
        return descriptor;
    throw hubError('HUB_UNKNOWN', { type: typeof hub === 'string' ? hub : hub.name });
  }

  private makeKeyRing(keys: HubServerOptions['keys']): KeyRing {
    if (keys !== undefined) return new KeyRing(keys);
    const error = hubError('HUB_NO_KEYS');
    this.logger.warn({ error }, 'The server seals its tokens with a key of its own making.');
    return KeyRing.random();
  }

  private sweepLater(): void {
    this.heartbeat.after(sweepMs, () => {
      this.bus.sweep();
      this.revocations.sweep();
      this.sweepLater();
    });
  }
}
