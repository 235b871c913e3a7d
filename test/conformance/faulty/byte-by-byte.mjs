import { serve } from "./serve.mjs";

// Keeps every rule: no meaning attaches to how bytes arrive (PROTOCOL 2.4).
serve({
	write(bytes, wire) {
		for (const byte of bytes) wire.write(Buffer.of(byte));
	},
});
