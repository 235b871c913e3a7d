// The client alone: the package's main file brings fetch, mocks and much else into the bundle.
declare module "undici/lib/dispatcher/client.js" {
	export { Client as default } from "undici";
}
