/** The web pages and the small paths around them. */
import { freePort } from "@fanfare/common/servers/free-port";
import { expect, test } from "vitest";
import { TestGateway } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();
const get = (path: string, init: RequestInit = {}) => fetch(`${suite.gateway.url}${path}`, init);

test.each([
  ["/", "index"],
  ["/?pin=123456", "index"],
  ["/host", "host"],
  ["/watch/quiz_1", "watch"],
  ["/livescore/quiz_1", "livescore"],
  ["/lovescore/quiz_1", "livescore"],
])("%s is the page %s, with strict headers", async (path, page) => {
  const response = await get(path);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain(`<title>${page}</title>`);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("assets have their type, and a tag that spares sending them again", async () => {
  const first = await get("/play.js");
  expect(first.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  const tag = first.headers.get("etag") ?? "";
  expect(tag).toMatch(/^".{20}"$/);
  const again = await get("/play.js", { headers: { "if-none-match": tag } });
  expect(again.status).toBe(304);
  const head = await get("/play.js", { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(head.headers.get("content-length")).toBe("11");
});

test("HEAD of any path has no body, so that the next request on the connection is understood", async () => {
  for (const path of ["/", "/nothing", "/healthz", "/livescore/a.b"]) {
    const response = await get(path, { method: "HEAD" });
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(0);
    expect(await response.text()).toBe("");
  }
  expect((await get("/healthz")).status).toBe(200);
});

test.each([
  ["/host/", "/host"],
  ["/host//", "/host"],
  ["/Host", "/host"],
  ["/host/?session=quiz_1", "/host?session=quiz_1"],
  ["/watch/quiz_1/", "/watch/quiz_1"],
  ["/Watch/Quiz_1", "/watch/Quiz_1"],
  ["/livescore/quiz_1/?limit=5", "/livescore/quiz_1?limit=5"],
  ["/lovescore/quiz_1/", "/lovescore/quiz_1"],
])("%s leads to %s", async (path, page) => {
  for (const method of ["GET", "HEAD"]) {
    const response = await get(path, { method, redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([308, page]);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
  expect((await get(path)).status).toBe(200);
});

test.each(["//example.org/", "//example.org/host/", "/host/example/", "/x/../host/..//"])(
  "%s leads nowhere else",
  async (path) => {
    const response = await get(path, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([404, null]);
  },
);

test("a browser that asks for an icon by itself is not told of a fault", async () => {
  const response = await get("/favicon.ico");
  expect([response.status, await response.text()]).toEqual([204, ""]);
});

test.each([
  "/nothing",
  "/../package.json",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/watch",
  "/watch/a/b",
  "/livescore/",
])("%s is not found, as a line of text", async (path) => {
  const response = await get(path);
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await response.text()).toMatch(/^no such page/);
});

test("a page of a session whose id is none says so", async () => {
  const response = await get("/livescore/a.b");
  expect(response.status).toBe(400);
  expect(await response.text()).toMatch(/^a session id is/);
});

test("a health check answers, and ready waits for NATS", async () => {
  expect(await (await get("/healthz")).text()).toBe("ok\n");
  const ready = await fetch(`http://127.0.0.1:${suite.gateway.adminPort}/readyz`);
  expect(await ready.text()).toBe("ok\n");
});

test("a port in use fails the start, and says which", async () => {
  const port = await freePort();
  await suite.startGateway({ HTTP_PORT: String(port) });
  const second = TestGateway.start(suite.backstage, { HTTP_PORT: String(port) });
  await expect(second).rejects.toThrow(`port ${port} can't be listened on`);
});

test("without its pages a gateway does not start", async () => {
  const start = TestGateway.start(suite.backstage, { WEB_ROOT: "/no/such/folder" });
  await expect(start).rejects.toThrow("WEB_ROOT /no/such/folder");
});
