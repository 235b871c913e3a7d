/**
 * A file that cannot be loaded, the same in every language: its line 17 is no sentence of it.
 *
 *
 *
 *
 *
 *
 *
 *
 *
 *
 *
 *
 */
export const echoes = () => "never";
export const raises = (this is not JavaScript
