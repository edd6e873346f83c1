/** The web pages, read once at start and served from memory; only names that were found exist. */

import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { isToken } from "@fanfare/proto/addresses";
import {
  endWith,
  NOT_A_SESSION_ID,
  redirect,
  replyNothing,
  replyText,
  writeSecurityHeaders,
} from "./http-reply.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".gif": "image/gif",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".mp3": "audio/mpeg",
  ".ogg": "audio/ogg",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".txt": "text/plain; charset=utf-8",
};

/** Pages as people type them: with a slash at the end, or with the capital that a phone begins with. */
const TYPED_PAGE = /^\/(host|(?:watch|livescore|lovescore)\/([A-Za-z0-9_-]{1,64}))\/*$/i;

/** Names that change with their content: a build put a hash into them. */
const HASHED = /^\/assets\/.*\.[0-9a-f]{8,}\.\w+$/;

interface Page {
  content: Buffer;
  type: string;
  tag: string;
  caching: string;
}

export class StaticPages {
  private constructor(private readonly pages: ReadonlyMap<string, Page>) {}

  /** Reads every file under `root`. Fails where there is no such folder. */
  static async load(root: string): Promise<StaticPages> {
    const pages = new Map<string, Page>();
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((cause) => {
      throw new Error(`WEB_ROOT ${root} can't be read; it must hold the web pages`, { cause });
    });
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath ?? entry.path, entry.name);
      const path = `/${relative(root, file).split(sep).join("/")}`;
      const content = await readFile(file);
      const hash = createHash("sha256").update(content).digest("base64url").slice(0, 20);
      pages.set(path, {
        content,
        type: TYPES[extname(file).toLowerCase()] ?? "application/octet-stream",
        tag: `"${hash}"`,
        caching: HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
      });
    }
    return new StaticPages(pages);
  }

  /** Puts the pages on the app; what nothing else serves is a 404 here. */
  serve(app: TemplatedApp): void {
    const paths = [
      ["/", "/index.html"],
      ["/host", "/host.html"],
    ] as const;
    const sessionPaths = [
      ["/watch/:session", "/watch.html"],
      ["/livescore/:session", "/livescore.html"],
      ["/lovescore/:session", "/livescore.html"],
    ] as const;
    for (const method of ["get", "head"] as const) {
      for (const [path, page] of paths)
        app[method](path, (response, request) => this.#reply(response, request, page));
      for (const [path, page] of sessionPaths)
        app[method](path, (response, request) => {
          if (isToken(request.getParameter(0))) return this.#reply(response, request, page);
          replyText(response, request, "400 Bad Request", NOT_A_SESSION_ID);
        });
      app[method]("/healthz", (response, request) => replyText(response, request, "200 OK", "ok"));
      // A browser asks for it where a page does not name its icon: without one the answer is nothing.
      if (!this.pages.has("/favicon.ico"))
        app[method]("/favicon.ico", (response, request) => replyNothing(response, request));
      app[method]("/*", (response, request) => this.#reply(response, request, request.getUrl()));
    }
    app.any("/*", (response, request) =>
      replyText(response, request, "404 Not Found", "no such page"),
    );
  }

  #reply(response: HttpResponse, request: HttpRequest, path: string): void {
    const page = this.pages.get(path);
    if (!page) {
      const typed = pageTyped(path);
      if (typed) redirect(response, request, typed);
      else replyText(response, request, "404 Not Found", "no such page; play at /");
      return;
    }
    const isKnown = request.getHeader("if-none-match").includes(page.tag);
    response.writeStatus(isKnown ? "304 Not Modified" : "200 OK");
    writeSecurityHeaders(response);
    response
      .writeHeader("content-type", page.type)
      .writeHeader("cache-control", page.caching)
      .writeHeader("etag", page.tag);
    if (isKnown) response.endWithoutBody();
    else endWith(response, request, page.content);
  }
}

/** The path that was meant; undefined where that is none of the pages. */
function pageTyped(path: string): string | undefined {
  const [, page = "", sessionId] = TYPED_PAGE.exec(path) ?? [];
  if (!page) return undefined;
  const [name = ""] = page.toLowerCase().split("/");
  return sessionId === undefined ? `/${name}` : `/${name}/${sessionId}`;
}
