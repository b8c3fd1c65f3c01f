// Requests as bytes on a socket, so that no client mends them; and servers that answer what they are told.

import { createServer, connect, type AddressInfo, type Socket } from "node:net";

export type Answered = { status: number; headers: Record<string, string>; body: string };

export type HeaderList = readonly (readonly [string, string])[];

export function send(port: number, method: string, path: string, headers: HeaderList = []): Promise<Answered> {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: api.example.com", "Connection: close"];
  lines.push(...headers.map(([name, value]) => `${name}: ${value}`));
  if (method === "POST" || method === "PUT") {
    lines.push("Content-Length: 0");
  }
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1").setTimeout(60_000, () => socket.destroy(new Error("no answer")));
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(read(Buffer.concat(chunks).toString("utf8"))));
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  });
}

function read(answer: string): Answered {
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => [line.split(":")[0]?.toLowerCase(), line.replace(/^[^:]*: */, "")]));
  let body = rest.join("\r\n\r\n");
  if (headers["transfer-encoding"] === "chunked") {
    body = body.replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+\r\n(\r\n)?/g, "");
  }
  return { status: Number(first.split(" ")[1]), headers, body };
}

export type Answering = { url: string; requests: string[]; close: () => void };

/** A server whose every connection, after a request, is handed to `answer`. */
export function answering(answer: (socket: Socket) => void): Promise<Answering> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    socket.unref().on("error", () => {});
    let request = "";
    socket.on("data", (chunk: Buffer) => {
      request += chunk.toString("latin1");
      const length = Number(/content-length: *(\d+)/i.exec(request)?.[1] ?? 0);
      if (request.includes("\r\n\r\n") && request.split("\r\n\r\n")[1]?.length === length) {
        requests.push(request);
        request = "";
        answer(socket);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      // A test that fails before it closes this must end all the same.
      server.unref();
      const { port } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${port}`, requests, close: () => server.close() });
    });
  });
}

/** An answer in bytes. */
export function http(status: number, headers: Record<string, string>, body: Buffer): Buffer {
  const lines = [`HTTP/1.1 ${status} Said`, "connection: close"];
  if (status !== 204) {
    lines.push(`content-length: ${body.length}`);
  }
  lines.push(...Object.entries(headers).map(([name, value]) => `${name}: ${value}`));
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** An address at which nobody listens, and which is given to no server; fetch itself refuses port 1. */
export const CLOSED_PORT = "http://127.0.0.1:2";
