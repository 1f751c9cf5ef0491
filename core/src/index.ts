export type { Awaitable } from './awaitable.js';
export { systemClock, type Clock } from './clock.js';
export type {
  Connection,
  ConnectionRequest,
  ConnectionState,
  DisconnectReason,
  Resume,
} from './connections/connection.js';
export { defineErrors, HubException, HublineError, type ErrorCatalogue, type ErrorFactory } from './errors.js';
export type { RevokedMember } from './groups/revocations.js';
export type { CallerGroups, HubGroups } from './hubs/caller-groups.js';
export type {
  CallerClients,
  ClientContract,
  GroupTargetOptions,
  HubClients,
  Sends,
  SingleClient,
  UndeclaredClient,
} from './hubs/clients.js';
export {
  factoryActivator,
  type Constructor,
  type FactoryEntry,
  type HubActivator,
  type HubScope,
  type ScopeEvent,
} from './hubs/hub-activator.js';
export type { HubCallerContext } from './hubs/hub-caller-context.js';
export {
  hub,
  hubMethod,
  type ArityMethodDecorator,
  type HubDecorator,
  type HubMethodDecorator,
  type MethodContext,
} from './hubs/hub-decorators.js';
export type { HandledEvents, HubDescriptor, HubMethodDescriptor } from './hubs/hub-descriptor.js';
export type { HubHandle } from './hubs/hub-handle.js';
export type { SendTarget } from './hubs/hub-sender.js';
export type { HubMethod, HubMethods, HubType } from './hubs/hub-type.js';
export { Hub } from './hubs/hub.js';
export type { Logger, LogMethod } from './logger.js';
export type { Limits } from './options.js';
export { authorize, AuthorizeModule, type AuthorizeRule } from './pipeline/authorize-module.js';
export type { HubPipelineModule, Next, Stage, StageName, StageOf } from './pipeline/hub-pipeline-module.js';
export type { HubPipeline } from './pipeline/hub-pipeline.js';
export type { InspectedChain, PipelineInspection } from './pipeline/inspection.js';
export type { ModuleReference } from './pipeline/module-list.js';
export type { Outcome } from './pipeline/outcome.js';
export { RejoiningGroupsModule } from './pipeline/rejoining-groups-module.js';
export type {
  AuthorizeConnectContext,
  ConnectContext,
  DisconnectContext,
  InvokeContext,
  ReconnectContext,
  RejoiningGroupsContext,
  SendContext,
} from './pipeline/stage-contexts.js';
export type { ConnectionEvent, StageContext } from './pipeline/stage-context.js';
export { anonymousUser, createUser, type User } from './security/user.js';
export type { AuthenticationRequest, CorsOptions, HubServerOptions } from './server/hub-server-options.js';
export { HubServer } from './server/hub-server.js';
export type { Revocation, ServerGroups } from './server/server-groups.js';
