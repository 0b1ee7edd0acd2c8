-- What a failing assertion says, for specs of assertions: failing(f) is the
-- message without its place, and where that was, as "file:line".
return function(f, ...)
  local ok, err = pcall(f, ...)
  if ok then error("it does not fail", 2) end
  local text = tostring(type(err) == "table" and err.message or err)
               :gsub("%./spec/", "spec/")
  local place, message = text:match "^([^\n:]+:%d+): (.*)$"
  return message or text, place
end
