-- What a call raises, as text without the place in front; false when it
-- raises nothing. Called through pcall, functions have no name in messages.
return function(f, ...)
  local ok, err = pcall(f, ...)
  if ok then return false end
  return (tostring(err):gsub("^[^\n:]-%.lua:%d+: ", ""))
end
