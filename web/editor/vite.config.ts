import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server's shell page reads .vite/manifest.json and sets <base href>, so every address is
// relative.
export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    chunkSizeWarningLimit: 700,
    manifest: true,
    sourcemap: false,
    target: "es2022",
    rollupOptions: { input: "src/main.tsx" },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8700" } },
});
