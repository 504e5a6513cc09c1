// A worker that breaks while it is loaded.
throw new Error("broken from the start");
