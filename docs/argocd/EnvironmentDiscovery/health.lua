-- Health of an EnvironmentDiscovery: Healthy once the environments were listed whole and each has its source.
if obj.spec.suspend then
  return {status = "Suspended", message = "spec.suspend is true"}
end
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the spec was not handled yet"}
end
local conditions = {}
for _, c in ipairs(status.conditions or {}) do
  conditions[c.type] = c
end
local ready, held = conditions.Ready, conditions.PruneHeld
if ready == nil then
  return {status = "Progressing", message = "waiting for the first listing"}
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return {status = "Degraded", message = ready.message}
end
if ready.status == "True" then
  return {status = "Healthy", message = held and held.message or ready.message}
end
return {status = "Progressing", message = ready.message}
