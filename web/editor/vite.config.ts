import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";
import { proxied, shellOf } from "./dev.ts";

// The server's shell page reads .vite/manifest.json and sets <base href>, so every address is
// relative.
export default defineConfig(({ command, mode }) => {
  const server = loadEnv(mode, ".", "FLOWENGINE_").FLOWENGINE_DEV_SERVER ?? "http://127.0.0.1:8700";
  return {
    base: command === "serve" ? "/" : "./",
    plugins: [react(), shellOf(server)],
    build: {
      outDir: "../static",
      emptyOutDir: true,
      chunkSizeWarningLimit: 700,
      manifest: true,
      sourcemap: false,
      target: "es2022",
      rollupOptions: { input: "src/main.tsx" },
    },
    server: { proxy: proxied(server) },
  };
});
