import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const portSchema = z.object({ port: z.number() });

/** A real server on loopback until the test ends. */
export async function serve(
  answer: RequestListener,
): Promise<{ url: string; requests: IncomingMessage[]; server: Server }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.on('error', () => undefined);
    answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${portSchema.parse(server.address()).port}`, requests, server };
}

/** A proxy as small as one can be: plain requests in absolute form, and tunnels, all sent on to `upstream`. */
export async function serveProxy(upstream: string): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const { url, server } = await serve((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const path = new URL(request.url ?? '/').pathname;
    fetch(upstream + path).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(await answer.text());
    });
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    const { hostname, port } = new URL(upstream);
    const out = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      out.pipe(socket).pipe(out);
    });
    for (const end of [out, socket]) end.on('error', () => end.destroy());
    onTestFinished(() => {
      out.destroy();
      socket.destroy();
    });
  });
  return { url, seen };
}
