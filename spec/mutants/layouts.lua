-- Mutants of what layouts are made of, in the form of storage.lua: JSON, the
-- cell that a script runs in, rules and plans.
local BIND_JSON <const> = "spec/bind/json_spec.lua"
local READER <const> = "spec/lua/json_reader_spec.lua"
local JSON <const> = "spec/lua/json_spec.lua"
local BUDGET <const> = "spec/host/budget_spec.lua"
local CELL <const> = "spec/host/cell_spec.lua"
local FENCE <const> = "spec/host/fence_spec.lua"
local LOADER <const> = "spec/host/loader_spec.lua"
local BRIEF <const> = "spec/lua/hermetic/brief_spec.lua"
local HERMETIC <const> = "spec/lua/hermetic/init_spec.lua"
local LETTER <const> = "spec/lua/hermetic/letter_spec.lua"
local MODULES <const> = "spec/lua/hermetic/modules_spec.lua"
local SANDBOX <const> = "spec/lua/hermetic/sandbox_spec.lua"
local STRINGS <const> = "spec/lua/hermetic/strings_spec.lua"
local SCRIPTS <const> = "spec/lua/hermetic/cell_spec.lua"
local TABLES <const> = "spec/lua/hermetic/tables_spec.lua"
local COPIES <const> = "spec/lua/rules/copies_spec.lua"
local DISK <const> = "spec/lua/rules/disk_spec.lua"
local LEADING <const> = "spec/lua/rules/leading_spec.lua"
local RESIDENCY <const> = "spec/lua/rules/residency_spec.lua"
local ALGEBRA <const> = "spec/lua/plan/algebra_spec.lua"
local CARVE <const> = "spec/lua/plan/carve_spec.lua"
local CROSSING <const> = "spec/lua/plan/crossing_spec.lua"
local DRAFT <const> = "spec/lua/plan/draft_spec.lua"
local FILE <const> = "spec/lua/plan/file_spec.lua"
local JUDGE <const> = "spec/lua/plan/judge_spec.lua"
local STEPS <const> = "spec/lua/plan/steps_spec.lua"
local WAVES <const> = "spec/lua/plan/waves_spec.lua"

return {
  -- --- JSON --------------------------------------------------------------------
  { "a key twice", "bind/bind_json.c", READER,
    "if (lua_rawget(r->L, -3) != LUA_TNIL) {", "if (lua_rawget(r->L, -3) == LUA_TTHREAD) {" },
  { "any low surrogate", "bind/bind_json.c", READER, "|| low < 0xdc00 || low > 0xdfff", "" },
  { "19 digits are an integer", "bind/bind_json.c", BIND_JSON,
    "#define DIGITS_SURE 18", "#define DIGITS_SURE 19" },
  { "empty objects have room", "bind/bind_json.c", BIND_JSON, "is_list || is_empty ?",
    "is_list ?" },
  { "a number that Lua does not read", "bind/bind_json.c", JSON,
    'if (lua_stringtonumber(L, text) == 0) fail(r, r->at, "too long a number");',
    "lua_stringtonumber(L, text);" },
  { "surrogates in UTF-8", "tidal/json_reader.lua", READER,
    "utf8.len(text)", "utf8.len(text, 1, -1, true)" },
  { "the comma of a locale", "tidal/json.lua", JSON, 'text = text:gsub("[^%d%-+e]+", ".")\n', "" },
  { "floats of 16 digits", "tidal/json.lua", JSON, "for digits = 15, 17 do",
    "for digits = 15, 16 do" },

  -- --- budgets -----------------------------------------------------------------
  { "a loop costs nothing", "host/budget.c", BUDGET,
    "budget->left -= lua_gethookcount(L);", "(void)L;" },
  { "the line of the last time", "host/budget.c", BUDGET,
    "if (!budget->spent) {\n    snprintf", "if (true) {\n    snprintf" },
  { "memory without end", "host/budget.c", CELL,
    "if (others <= cap && size <= cap - others) return true;", "if (size <= cap) return true;" },
  { "credit is never settled", "host/budget.c", BUDGET,
    'if (budget->used > budget->cap) spend_here(budget, L, "memory");', "" },
  { "work of C costs nothing", "host/budget.c", BUDGET,
    "budget->left = enough ? budget->left - work : 0;", "enough = true;" },
  { "nothing counts after a part", "host/cell.c", BRIEF,
    "budget->counting = counting;\n  return status", "return status" },
  { "each layout has a budget of its own", "tidal/hermetic/cell.lua", BRIEF,
    "budget = cell.left()", "budget = RULES_BUDGET" },
  { "handlers are called inside", "tidal/hermetic/sandbox.lua", BUDGET,
    "function out.xpcall(f", "out.xpcall = xpcall\n  function out.ypcall(f" },
  { "reading JSON costs nothing", "tidal/hermetic/sandbox.lua", BIND_JSON,
    "if type(text) == \"string\" then cell.charge(#text // 8) end\n    return json.decode(text)",
    "return json.decode(text)" },

  -- --- the fence ---------------------------------------------------------------
  { "descriptors stay open", "host/fence.c", FENCE, "  close_from(FDS);", "  (void)close_from;" },
  { "a cell may start processes", "host/fence.c", FENCE, "limit(RLIMIT_NPROC, 0)", "true" },
  { "a cell outlives its host", "host/fence.c", FENCE,
    "prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0", "true" },
  { "handlers of the host stay", "host/fence.c", FENCE,
    "drop_handlers();\n  keep_only", "(void)drop_handlers;\n  keep_only" },
  { "a cell may gain rights", "host/fence.c", FENCE,
    "if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(TD_FENCE_NO_FILTER);", "" },
  { "any descriptor is read", "host/filter.c", "filter",
    "CALL_ON_0(__NR_read),", "CALL(__NR_read)," },
  { "pages that run", "host/filter.c", "filter",
    "CALL_WITHOUT_EXEC(__NR_mmap)", "CALL(__NR_mmap)" },
  { "a call that is not named", "host/filter.c", "filter", "    KILL,\n  };", "    ALLOW,\n  };" },
  { "tidal is loaded each time it is read", "host/loader.c", LOADER,
    "lua_pushvalue(L, 2);\n  lua_pushvalue(L, -2);\n  lua_rawset(L, 1);", "" },
  { "any name is ours", "host/loader.c", LOADER,
    "(name[root] == '\\0' || name[root] == '.')", "true" },

  -- --- what a script gets ------------------------------------------------------
  { "the metatable of strings is open", "tidal/hermetic/strings.lua", STRINGS,
    "meta.__index, meta.__metatable = methods, false", "meta.__index = methods" },
  { "addresses are shown", "tidal/hermetic/strings.lua", STRINGS, 'if letter == "p" then',
    'if letter == "P" then' },
  { "metatables of the library", "tidal/hermetic/sandbox.lua", SANDBOX,
    "if meta == nil or given[meta] then return meta end\n    return false", "return meta" },
  { "finalizers", "tidal/hermetic/sandbox.lua", SANDBOX, '{ "__gc", "__close" }', '{ "__close" }' },
  { "other chances each time", "tidal/hermetic/sandbox.lua", SANDBOX,
    "prng.new(SEED)", "prng.new(math.random(0))" },
  { "the order of the heap", "tidal/hermetic/sandbox.lua", SCRIPTS,
    "next = tables.next, _VERSION", "next = next, _VERSION" },
  { "keys of any kind", "tidal/hermetic/tables.lua", TABLES,
    'if math.type(key) == "integer" or type(key) == "string" then return end',
    "if key ~= nil then return end" },
  { "modules above the folder", "tidal/hermetic/modules.lua", MODULES,
    '~= nil and not ("." .. name .. ".")\n         :find("..", 1, true)', "~= nil" },
  { "modules without end", "tidal/hermetic/modules.lua", MODULES,
    "self.bytes + #text\n", "self.bytes\n" },

  -- --- what the host believes --------------------------------------------------
  { "a part is asked for again and again", "tidal/hermetic/init.lua", BRIEF,
    "  told[key] = true\n", "" },
  { "any number of verdicts", "tidal/hermetic/init.lua", HERMETIC,
    "if #verdicts ~= known.count then", "if #verdicts > known.count + 9 then" },
  { "terminal codes", "tidal/hermetic/letter.lua", LETTER,
    '"[^\\t\\n\\x20-\\x7e\\x80-\\xff]", "?"', '"[^\\t\\n\\x1b-\\x7e\\x80-\\xff]", "?"' },
  { "a leader that is no region", "tidal/hermetic/letter.lua", LETTER,
    "if region >= regions then refuse", "if region > regions then refuse" },
  { "a layout that was judged is read", "tidal/hermetic/cell.lua", BRIEF, "  ask = closed\n", "" },
  { "a rule that cannot be asked is broken", "tidal/rules.lua", HERMETIC,
    'and ok.code == "isolation" then', 'and ok.code == "none" then' },

  -- --- rules -------------------------------------------------------------------
  { "one copy survives", "tidal/rules/copies.lua", COPIES, "if left >= 2 then",
    "if left >= 1 then" },
  { "lost copies are not seen", "tidal/rules/copies.lua", COPIES,
    "return shard, #layout.regions - most", "return shard, #layout.regions" },
  { "a full disk is too full", "tidal/rules/disk.lua", DISK, "bytes > size.bytes",
    "bytes >= size.bytes" },
  { "one leader more", "tidal/rules/leading.lua", LEADING, "if most.leads <= n then",
    "if most.leads <= n + 1 then" },
  { "weights may be off by twice as much", "tidal/rules/leading.lua", LEADING,
    "<= weights.tolerance + 1e-9", "<= 2 * weights.tolerance + 1e-9" },
  { "the last id may be led anywhere", "tidal/rules/residency.lua", RESIDENCY,
    "and not ult(last, range.first) then", "and ult(range.first, last) then" },

  -- --- plans -------------------------------------------------------------------
  { "a region that leads is removed", "tidal/plan/steps.lua", STEPS,
    "elseif (draft.leads[mark] or 0) > 0 then", "elseif false then" },
  { "a shard with keys is removed", "tidal/plan/steps.lua", STEPS,
    "if owns then return nil", "if owns and lacks then return nil" },
  { "a routing over shards that are not there", "tidal/plan/steps.lua", STEPS,
    "if (after.n or most + 1) > draft.shards then", "if (after.n or most) > draft.shards then" },
  { "old layouts see new names", "tidal/plan/draft.lua", DRAFT,
    "  self.names = own(self.names)\n  self.names[mark] = name", "  self.names[mark] = name" },
  { "a rule that never held is broken", "tidal/plan/judge.lua", JUDGE,
    "if held[n] and not ok then", "if not ok then" },
  { "a rule is not asked after moves", "tidal/plan/judge.lua", JUDGE, "reads[n] = point.seen",
    "reads[n] = false" },
  { "the last layouts are not asked", "tidal/plan/judge.lua", JUDGE, "return turn() or turn()",
    "return turn()" },
  { "a shard that goes keeps its keys", "tidal/plan/crossing.lua", CROSSING,
    "for s = 0, math.min(n, m) - 1 do", "for s = 0, n - 1 do" },
  { "regions that are kept apart", "tidal/plan/waves.lua", WAVES,
    "if kept and kept[other] then", "if kept and not kept[other] then" },
  { "a window without end", "tidal/plan/waves.lua", WAVES,
    "if wave.seconds > left and left < limits.window then", "if left < 0 then" },
  { "steps that do not fit are left out", "tidal/plan/stale.lua", ALGEBRA,
    "  if #misfits > 0 then\n    error", "  if #misfits > 99 then\n    error" },
  { "back in the same order", "tidal/plan/algebra.lua", ALGEBRA,
    "for i = #list, 1, -1 do back", "for i = 1, #list do back" },
  { "cuts that are worth nothing", "tidal/plan/carve.lua", CARVE,
    "if most < measure.worth then", "if most < measure.none then" },
  { "a plan of another layout", "tidal/plan/file.lua", FILE,
    'assert(made:hash() == held.layout_hash, "its hash is another one")', "" },
  { "runs of any shards", "tidal/plan/file.lua", FILE, "value <= SHARD_LAST",
    "value <= SHARD_LAST + 1" },
  { "moves that are not its steps", "tidal/plan/file.lua", FILE,
    "#plan.moves == #value.moves", "#plan.moves >= #value.moves" },
}
