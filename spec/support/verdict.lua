-- What a rule says of a layout with these changes: true, or why not.
local script = require "spec.support.script"

return function(rule, changes, load)
  local layout = script.layout(changes)
  if load then layout = layout:with_load(load) end
  local ok, why = rule.check(layout)
  return ok or why
end
