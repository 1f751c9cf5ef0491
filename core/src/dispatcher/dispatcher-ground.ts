import type { Clock } from '../clock.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import type { Heartbeat } from '../connections/heartbeat.js';
import type { Revocations } from '../groups/revocations.js';
import type { HubActivator } from '../hubs/hub-activator.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { Logger } from '../logger.js';
import type { MessageBus } from '../messaging/message-bus.js';
import type { Limits } from '../options.js';
import type { DataProtector } from '../security/key-ring.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';

/** What the dispatcher is built on. */
export interface DispatcherGround {
  readonly hubs: ReadonlyMap<string, HubDescriptor>;
  readonly activator: HubActivator;
  readonly bus: MessageBus<EncodedMessage>;
  readonly registry: ConnectionRegistry;
  readonly revocations: Revocations;
  readonly heartbeat: Heartbeat;
  readonly protector: DataProtector;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}
