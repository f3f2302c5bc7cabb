// A browser of one of the people: it reaches the tailnet by their node alone.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { HANG } from './world.mjs';

export const PAGE = 'http://kolaboree-node';

export const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';

let browser;

async function launched() {
  browser ??= await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

export const SIZES = {
  laptop: { width: 1440, height: 900 },
  tablet: { width: 1024, height: 768 },
  phone: { width: 360, height: 740 },
};

/** Opens a page of the node as one of the people. What the browser complains of is in `complaints`. */
export async function open(world, person, path = '/', options = {}) {
  const { size = 'laptop', theme = 'light', locale = 'en-US', ...more } = options;
  const context = await (await launched()).newContext({
    proxy: { server: world.proxies[person] },
    viewport: SIZES[size],
    hasTouch: size === 'phone',
    isMobile: size === 'phone',
    colorScheme: theme,
    locale,
    ...more,
  });
  context.setDefaultTimeout(HANG / 2);
  const page = await context.newPage();
  page.complaints = [];
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  page.on('pageerror', (error) => page.complaints.push(`${error}`));
  page.on('console', (message) => {
    // The browser tells each answer that is no success, which tests bring about.
    const isAnswer = /Failed to load resource|net::ERR/.test(message.text());
    // By plain HTTP this header means nothing, which the browser tells.
    const isHeader = /Cross-Origin-Opener-Policy header has been ignored/.test(message.text());
    if (message.type() === 'error' && !isAnswer && !isHeader) page.complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!/^(http:\/\/kolaboree-node|data:|blob:)/.test(url)) page.complaints.push(`a request elsewhere: ${url}`);
  });
  if (path !== null) await page.goto(PAGE + path);
  return page;
}

/** Closes a page that has nothing to complain of. */
export async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}
