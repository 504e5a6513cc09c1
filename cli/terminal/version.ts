/** As in package.json, which is not beside the built files of every consumer; a test compares the two. */
export const VERSION = "0.1.0";
