import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LEFT_OUT = new Set([".git", "node_modules", "dist", "results", "target"]);

function pagesIn(folder: string): string[] {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : pagesIn(path);
		return entry.name.endsWith(".md") ? [path] : [];
	});
}
const pages = pagesIn(root);
const read = (path: string): string => readFileSync(path, "utf8");
const name = (path: string): string => relative(root, path);
const withoutCode = (page: string): string =>
	page.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`]*`/g, (code) => code.replace(/[[\]()]/g, "_"));

/** Returns the anchor that GitHub makes for a heading. */
const anchors = (page: string): string[] =>
	[...page.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
		heading
			.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
			.toLowerCase()
			.replace(/[^\p{Letter}\p{Number}\s_-]/gu, "")
			.replace(/\s/g, "-"),
	);

test("every link in every page leads to an existing file and heading", () => {
	let count = 0;
	for (const page of pages) {
		for (const [, link = ""] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
			if (/^[a-z]+:/.test(link)) continue;
			const [path = "", anchor] = link.split("#");
			const target = path === "" ? page : join(dirname(page), decodeURIComponent(path));
			assert.ok(existsSync(target), `${name(page)} links to ${link}, which is not there`);
			assert.ok(!name(target).startsWith(".."), `${name(page)} links to ${link}, outside the project`);
			if (anchor !== undefined)
				assert.ok(anchors(read(target)).includes(anchor), `${name(page)} links to ${link}, which has no such heading`);
			count++;
		}
	}
	assert.ok(count > 50, String(count));
});

test("every page in docs/ can be reached from the README", () => {
	const seen = new Set<string>();
	const next = [join(root, "README.md")];
	for (let page = next.pop(); page !== undefined; page = next.pop()) {
		if (seen.has(page)) continue;
		seen.add(page);
		for (const [, path = ""] of read(page).matchAll(/\]\(([^)\s#:]+)[^)]*\)/g)) {
			const target = join(dirname(page), path);
			if (existsSync(target) && statSync(target).isDirectory())
				next.push(...pagesIn(target).filter((one) => dirname(one) === target.replace(/\/$/, "")));
			else if (target.endsWith(".md") && existsSync(target)) next.push(target);
		}
	}
	const lost = pages.filter((page) => name(page).startsWith("docs/")).filter((page) => !seen.has(page));
	assert.deepEqual(lost.map(name), []);
});

test("every file of the project that a command in a page names exists", () => {
	const places = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
	const pattern = new RegExp(`(?:^|[\\s=:"'])(?:\\./)?((?:${places.map((place) => place.name).join("|")})/[\\w./-]+)`, "g");
	let count = 0;
	for (const page of pages) {
		for (const [, code = ""] of read(page).matchAll(/^```sh\n([\s\S]*?)^```/gm)) {
			for (const [, path = ""] of code.matchAll(pattern)) {
				const [file = ""] = path.split(":");
				const made = /^(function|node_modules)\//.test(file) || file.includes("/dist/");
				if (made) continue;
				assert.ok(existsSync(join(root, file)) || existsSync(join(dirname(page), file)), `${name(page)} names ${file}, which is not there`);
				count++;
			}
		}
	}
	assert.ok(count > 5, String(count));
});
