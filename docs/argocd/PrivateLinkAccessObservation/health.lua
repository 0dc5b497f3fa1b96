-- Health of a PrivateLinkAccessObservation: that of the access in the cloud.
for _, c in ipairs(obj.status and obj.status.conditions or {}) do
  if c.type == "Ready" then
    if c.status == "True" then
      return {status = "Healthy", message = c.message}
    elseif c.status == "Unknown" then
      return {status = "Unknown", message = c.message}
    elseif c.reason == "Failed" then
      return {status = "Degraded", message = c.message}
    end
    return {status = "Progressing", message = c.message}
  end
end
return {status = "Progressing", message = "no status yet"}
