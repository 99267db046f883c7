// Pictures of the screens: each as it is in Chromium, in the font of these pictures, as a PNG of few colours.

import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure, find, run, step } from "../../../tools/lib/steps.mjs";
import { startBrowser } from "./browser.mjs";
import { scratch } from "./scratch.mjs";
import { enter, open, screens } from "./screens.mjs";
import { startShowcase } from "./showcase.mjs";

/** Debian's packages: a browser, what makes a PNG small, and fonts as those of people's systems. */
const programs = ["chromium", "pngquant"];
const FONTS = "/usr/share/fonts/opentype/inter/Inter-Regular.otf";
const packages = ["chromium", "pngquant", "fonts-inter", "fonts-dejavu-core"];

/** The tallest picture: what is below is more of the same. */
const HEIGHT = 1_400;

/** What makes Chromium paint a page the same way each time. */
const EXACT = ["--disable-gpu", "--disable-partial-raster", "--font-render-hinting=none", "--force-color-profile=srgb"];

/** Installs what is missing where that can be done unasked, as the benchmark does. */
export async function bring() {
  if (programs.every(find) && existsSync(FONTS)) return;
  const advice = `pictures need ${packages.join(", ")}: install them (Debian: apt-get install ${packages.join(" ")})`;
  if (!find("apt-get") || process.getuid() !== 0) throw new Failure(advice);
  const install = (...words) => run("apt-get", words, { env: { DEBIAN_FRONTEND: "noninteractive" } });
  await step(
    "Debian's packages",
    async () => {
      await install("update");
      await install("install", "--yes", "--no-install-recommends", ...packages);
    },
    { always: true },
  );
}

/** The fonts of the pictures, wherever they are made: what a page names by its kind is one of these. */
function fonts() {
  const folder = scratch();
  const alias = (kind, font) =>
    `<alias binding="same"><family>${kind}</family><prefer><family>${font}</family></prefer></alias>`;
  const file = path.join(folder, "fonts.conf");
  writeFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>/usr/share/fonts</dir><cachedir>${folder}/cache</cachedir>
${alias("system-ui", "Inter")}${alias("sans-serif", "Inter")}${alias("ui-monospace", "DejaVu Sans Mono")}${alias("monospace", "DejaVu Sans Mono")}
</fontconfig>`,
  );
  return { FONTCONFIG_FILE: file };
}

/** Secrets, ids and the commit are others each time, and secrets have no place in a picture: each digit is the same. */
const hideRandom = (page) =>
  page.locator("body").evaluate((body) => {
    const random = [
      /(?<=\bhl\w_)[0-9a-f]{16,}/g,
      /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g,
      /(?<=^\d+\.\d+\.\d+, )[0-9a-f]{12}\+?/g,
    ];
    const texts = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { currentNode: text } = texts;
      for (const one of random)
        text.data = text.data.replace(one, (digits) => digits.replace(/[0-9a-f]/g, "0").replace("+", ""));
    }
  });

/** One picture; gives its bytes. */
async function picture({ page }, file, width) {
  await hideRandom(page);
  const height = await page.evaluate(() => Math.ceil(document.body.getBoundingClientRect().bottom) + 24);
  await page.setViewportSize({ width, height: Math.min(height, HEIGHT) });
  const whole = await page.screenshot({ animations: "disabled", caret: "hide" });
  const raw = path.join(scratch(), "raw.png");
  writeFileSync(raw, whole);
  await run("pngquant", ["--force", "--strip", "--speed", "1", "--nofs", "--output", file, "64", raw]);
  return statSync(file).size;
}

/** Makes all of them, in a folder that has no others. */
export async function take(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const showcase = await startShowcase();
  const browser = await startBrowser({ env: fonts(), args: EXACT });
  const made = [];
  const shoot = async (visit, screen, { name, width = 1280 }) => {
    await visit.page.setViewportSize({ width, height: 900 });
    await open(visit, showcase, screen);
    made.push({ name, bytes: await picture(visit, path.join(folder, `${name}.png`), width) });
  };
  try {
    for (const name of new Set(screens.map((screen) => screen.as))) {
      const visit = await enter(browser, showcase, name);
      for (const screen of screens.filter((screen) => screen.as === name)) await shoot(visit, screen, screen);
      await visit.close();
    }
    for (const screen of screens) {
      for (const { name, ...options } of screen.also ?? []) {
        const visit = await enter(browser, showcase, screen.as, options);
        await shoot(visit, screen, { name, ...options });
        await visit.close();
      }
    }
  } finally {
    await browser.stop();
    await showcase.stop();
  }
  return made;
}
