import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 3000);

createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end('<!doctype html><title>Hubline</title><h1>Hubline</h1>');
}).listen(port, () => {
  console.log(`Hubline chat: http://localhost:${port}/`);
});
