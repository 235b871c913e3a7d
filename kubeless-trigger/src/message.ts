/** A header of a message. Kafka's values are bytes, and need not be text. */
export type Header = readonly [name: string, value: string | Buffer];

/** A message from a broker. */
export interface Message {
	readonly topic: string;
	readonly value: Buffer;
	readonly key: Buffer | null;
	readonly headers: readonly Header[];
	/** When the broker got it, in ms since 1970. */
	readonly time: number;
	/** The same each time the message is delivered, and different for each message of the topic. */
	readonly id: string;
	/** Kafka only. */
	readonly partition?: number;
	/** Kafka only. */
	readonly offset?: bigint;
}

/** A message that is published: an answer, or a dead letter. */
export interface Publication {
	readonly topic: string;
	readonly key: Buffer | null;
	readonly value: Buffer;
	readonly headers: readonly Header[];
}

export type Publish = (publication: Publication) => Promise<void>;

/**
 * The broker will not take this publication, however often it is sent: it is too large, or invalid.
 */
export class UnpublishableError extends Error {}

/** How the log names a message. */
export const described = ({ topic, partition, offset, id }: Message): object =>
	partition === undefined ? { topic, id } : { topic, partition, offset: String(offset) };
