/** Returns README.md with its table, between <!-- NAME --> and <!-- end of NAME -->. */
export function tables(readme, manifests) {
	return between(readme, "images", imagesTable(manifests));
}

function imagesTable(manifests) {
	const row = (cells) => `| ${cells.join(" | ")} |`;
	return [
		row(["language", "serves it", "installs and compiles", "versions", "older ones (`docker buildx bake legacy`)"]),
		"|---|---|---|---|---|",
		...manifests.map(({ id, name, versions, install, compiles }) =>
			row([
				name,
				`\`kubeless/${id}\``,
				install || compiles ? `\`kubeless/${id}-installer\`` : "",
				list(versions, false),
				list(versions, true),
			]),
		),
	].join("\n");
}

const list = (versions, legacy) =>
	versions
		.filter((entry) => (entry.legacy === true) === legacy)
		.map(({ version }) => version)
		.join(", ");

/** Replaces the text between two marks of a page. @throws {Error} if a mark is missing */
export function between(text, name, filling) {
	const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- end of ${name} -->`];
	const [from, to] = [text.indexOf(start), text.indexOf(end)];
	if (from < 0 || to < 0) throw new Error(`The page has no <!-- ${name} --> … <!-- end of ${name} -->.`);
	return text.slice(0, from + start.length) + filling + text.slice(to);
}
