-- Collects what nobody holds, then fills freed memory of about this size with
-- other bytes: what still points there is found out, without a sanitizer.
return function(size)
  collectgarbage()
  collectgarbage()
  local held = {}
  for i = 1, 400 + (4 << 20) // size do held[i] = ("\xfe"):rep(size - i % 16) end
  return #held
end
