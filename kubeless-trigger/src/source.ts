import type { Message, Publish } from "./message.ts";
import type { Target } from "./settings.ts";

/** What delivers messages of a source to one function. */
export interface TargetDelivery {
	readonly target: Target;
	readonly deliver: (message: Message, signal: AbortSignal) => Promise<void>;
}

/** A system that messages come from. */
export interface Source {
	readonly publish: Publish;
	/** Consumes until it is closed; survives the loss of the broker. */
	run(deliveries: readonly TargetDelivery[]): Promise<void>;
	/** All functions' consumers are connected and take part in their groups. */
	ready(): boolean;
	/** Takes no further message, finishes the calls that run, and disconnects. */
	close(): Promise<void>;
}
