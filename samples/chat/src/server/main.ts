import { fileURLToPath } from 'node:url';
import { createChatServer } from './chat-server.js';

const port = Number(process.env.PORT ?? 3000);
// Nobody has a password here, so the sample is not on the network unless it is told to be.
const host = process.env.HOST ?? '127.0.0.1';
const dataFolder = process.env.CHAT_DATA ?? fileURLToPath(new URL('../../data', import.meta.url));

const chat = createChatServer(dataFolder);

chat.http.once('error', (error: NodeJS.ErrnoException) => {
  const taken = error.code === 'EADDRINUSE';
  console.error(taken ? `Port ${port} is taken. Choose another: PORT=3001 npm start` : error.message);
  process.exit(1);
});

chat.http.listen(port, host, () => {
  const address = chat.http.address();
  const url = `http://localhost:${typeof address === 'object' && address !== null ? address.port : port}`;
  console.log(`Hubline chat    ${url}/\nAdministrator   ${url}/admin\nStop it with Ctrl+C.`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void chat.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
