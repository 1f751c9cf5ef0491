export { failure } from './failure.js';
export { CallFailed, RequestRefused } from './client-errors.js';
export type { ReceivedCall, TestClient } from './test-client.js';
export {
  testServer,
  type LoggedLine,
  type TestClientOptions,
  type TestServer,
  type TestServerOptions,
} from './test-server.js';
export { settle, VirtualClock } from './virtual-clock.js';
