-- In which of the builds a spec runs: "release" (tidal-lua), "lua5.4" (the
-- module, stock busted) or "asan". What takes long and tests other processes
-- runs in full in the first, and in less, or not, in the others.
local found, host = pcall(require, "tidal.host")

return { kind = not found and "lua5.4" or host.path:find "/asan/" and "asan" or "release" }
