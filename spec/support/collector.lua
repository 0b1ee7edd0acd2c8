-- collector(f): f as a case that may steer the collector. All specs share one
-- state, and what one of them sets would slow down those that follow: the case
-- starts with steps as in a new state, and ends with the mode that was before.
return function(f)
  return function()
    local mode = collectgarbage("incremental", 200, 100, 13)
    local ok, err = pcall(f)
    collectgarbage("incremental", 200, 100, 13)
    collectgarbage(mode)
    if not ok then error(err, 0) end
  end
end
