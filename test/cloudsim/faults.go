package cloudsim

import "net/http"

// The catalogue of faults. The entry of each fault below says what the fault does and what a client
// may conclude.
const (
	_ Fault = iota
	// Faults of the connection and its speed.
	FaultResetBefore
	FaultResetInBody
	FaultResetAfterBody
	FaultCutBody
	FaultNoAnswer
	FaultHangInBody
	FaultSlowBody
	FaultEndlessBody
	// Faults of the body.
	FaultTruncatedJSON
	FaultTrailingGarbage
	FaultGzipBomb
	FaultHTML
	FaultHTMLAsJSON
	FaultEmptyBody
	FaultEmptyObject
	FaultNull
	FaultWrongKind
	FaultNoData
	FaultNoContent
	FaultPartialContent
	// Faults of paging and of redirects.
	FaultRepeatedToken
	FaultEndlessPaging
	FaultTokenExpired
	FaultForeignNext
	FaultRedirect
	FaultRedirectForeign
	// Faults of the items.
	FaultItemMissing
	FaultItemSkipped
	FaultItemRepeated
	FaultItemWrongType
	FaultItemNotObject
	FaultItemNull
	FaultItemNoID
	FaultItemLongID
	FaultItemLongestID
	FaultItemOddID
	// Faults of the rate limit.
	FaultRateLimited
	FaultRateLimitedBare
	FaultRateLimitedReset
	FaultRateLimitedDate
	FaultRateLimitedNegative
	FaultRateLimitedAbsurd
	// Faults of the status.
	FaultUnauthorized
	FaultForbidden
	FaultForbiddenKey
	FaultBadRequest
	FaultNotFound
	FaultInternalError
	FaultNotImplemented
	FaultBadGateway
	FaultUnavailable
	FaultGatewayTimeout
	FaultProxyAuth
	FaultConflict
	FaultMisdirected
	FaultLocked
	FaultTooEarly
	FaultClientClosed
	FaultHangInError
	// Faults of what the key may see.
	FaultPartialKey
	FaultBlindKey
)

// faultEntry is the catalogue's entry for a fault.
type faultEntry struct {
	name    string
	about   string
	verdict Verdict
	slow    bool
	fits    func(occasion) bool // which requests can have it; nil: all of them
	serve   func(*exchange)
}

var catalogue = [...]faultEntry{
	FaultResetBefore:    {"reset-before", "resets the connection before the answer", Loud, false, nil, resetBefore},
	FaultResetInBody:    {"reset-in-body", "resets the connection in the middle of the body", Loud, false, aPage, resetInBody},
	FaultResetAfterBody: {"reset-after-body", "resets the connection behind the whole body", Harmless, false, aPage, resetAfterBody},
	FaultCutBody:        {"cut-body", "closes the connection in the middle of the body", Loud, false, aPage, cutBody},
	FaultNoAnswer:       {"no-answer", "never answers", Loud, true, nil, noAnswer},
	FaultHangInBody:     {"hang-in-body", "stops in the middle of the body for good", Loud, true, aPage, hangInBody},
	FaultSlowBody:       {"slow-body", "sends the body in small pieces", Harmless, false, aPage, slowBody},
	FaultEndlessBody:    {"endless-body", "sends a body that never ends", Loud, false, aPage, endlessBody},

	FaultTruncatedJSON:   {"truncated-json", "sends half of the JSON as if it were all", Loud, false, aPage, replaced(truncated)},
	FaultTrailingGarbage: {"trailing-garbage", "sends something behind the JSON", Loud, false, aPage, replaced(garbage)},
	FaultGzipBomb:        {"gzip-bomb", "sends a megabyte that unpacks to a gigabyte", Loud, false, aPage, gzipBomb},
	FaultHTML:            {"html", "200 with an HTML page", Loud, false, nil, answer(http.StatusOK, "text/html", portal)},
	FaultHTMLAsJSON:      {"html-as-json", "200 with HTML that calls itself JSON", Loud, false, nil, answer(http.StatusOK, jsonType, portal)},
	FaultEmptyBody:       {"empty-body", "200 with nothing", Loud, false, nil, answer(http.StatusOK, jsonType, "")},
	FaultEmptyObject:     {"empty-object", "200 with {}", Loud, false, nil, answer(http.StatusOK, jsonType, "{}")},
	FaultNull:            {"null", "200 with null", Loud, false, nil, answer(http.StatusOK, jsonType, "null")},
	FaultWrongKind:       {"wrong-kind", "200 with an empty list of the other kind", Loud, false, aPage, edited(wrongKind)},
	FaultNoData:          {"no-data", "200 with the right kind and no data", Loud, false, aPage, replaced(noData)},
	FaultNoContent:       {"no-content", "204", Loud, false, nil, answer(http.StatusNoContent, "", "")},
	FaultPartialContent:  {"partial-content", "206 with a whole page", Loud, false, aPage, partialContent},

	FaultRepeatedToken:   {"repeated-token", "next leads to the page it is on", Loud, false, aLaterPage, edited(repeatedToken)},
	FaultEndlessPaging:   {"endless-paging", "from here on there is always a next page, with a new token", Loud, true, aPage, edited(endlessPaging)},
	FaultTokenExpired:    {"token-expired", "400 for the page token", Loud, false, aLaterPage, tokenExpired},
	FaultForeignNext:     {"foreign-next", "next is on another host, with the right token", Harmless, false, aPageBefore, edited(foreignNext)},
	FaultRedirect:        {"redirect", "redirects to the same place", Harmless, false, nil, redirect},
	FaultRedirectForeign: {"redirect-foreign", "redirects to another host", Loud, false, nil, redirectForeign},

	FaultItemMissing:   {"item-missing", "an item is missing, and total_size counts it", Loud, false, theLastItems, edited(itemMissing)},
	FaultItemSkipped:   {"item-skipped", "an item is missing, and total_size does not count it", Silent, false, theLastItems, edited(itemSkipped)},
	FaultItemRepeated:  {"item-repeated", "an item of the first page comes again", Harmless, false, someItems, edited(itemRepeated)},
	FaultItemWrongType: {"item-wrong-type", "an item's metadata is a number", Loud, false, someItems, spoiled(wrongType)},
	FaultItemNotObject: {"item-not-object", "an item is a text", Loud, false, someItems, spoiled(notObject)},
	FaultItemNull:      {"item-null", "an item is null", Loud, false, someItems, spoiled(nothing)},
	FaultItemNoID:      {"item-no-id", "an item has no id", Loud, false, someItems, spoiled(noID)},
	FaultItemLongID:    {"item-long-id", "an item's id is longer than 255 characters", Loud, false, someItems, spoiled(longID)},
	FaultItemLongestID: {"item-longest-id", "an item too many, with an id of 255 characters", Silent, false, someItems, edited(longestID)},
	FaultItemOddID:     {"item-odd-id", "an item too many, whose id is no object name", Silent, false, someItems, edited(oddID)},

	FaultRateLimited:         {"rate-limited", "429 with all headers, for one second", Loud, false, nil, rateLimited("1", "0", "1")},
	FaultRateLimitedBare:     {"rate-limited-bare", "429 without headers", Loud, false, nil, rateLimited("", "", "")},
	FaultRateLimitedReset:    {"rate-limited-reset", "429 with X-RateLimit-Reset only", Loud, false, nil, rateLimited("", "", "1")},
	FaultRateLimitedDate:     {"rate-limited-date", "429 with Retry-After as a date", Loud, false, nil, rateLimitedDate},
	FaultRateLimitedNegative: {"rate-limited-negative", "429 with negative headers", Loud, false, nil, rateLimited("-3600", "-1", "-3600")},
	FaultRateLimitedAbsurd:   {"rate-limited-absurd", "429 that asks to wait for ages", Loud, true, nil, rateLimited(absurd, absurd, absurd)},

	FaultUnauthorized:   {"unauthorized", "401", Loud, true, nil, refuse(*unauthenticated(badKey))},
	FaultForbidden:      {"forbidden", "403 for want of rights", Loud, true, nil, refuse(*forbidden("user_unauthorized", noRights))},
	FaultForbiddenKey:   {"forbidden-key", "403 that means 401: invalid API key", Loud, true, nil, refuse(*forbidden("invalid_api_key", badKey))},
	FaultBadRequest:     {"bad-request", "400", Loud, false, nil, refuse(*badParameter("environment", "the request cannot be understood"))},
	FaultNotFound:       {"not-found", "404, as {error_code, message} in errors[]", Loud, false, nil, answer(http.StatusNotFound, jsonType, error404)},
	FaultInternalError:  {"internal-error", "500, as {error_code, message}", Loud, false, nil, answer(http.StatusInternalServerError, jsonType, error500)},
	FaultNotImplemented: {"not-implemented", "501, as errors[]", Loud, false, nil, refuse(error501)},
	FaultBadGateway:     {"bad-gateway", "502 with HTML", Loud, false, nil, answer(http.StatusBadGateway, "text/html", portal)},
	FaultUnavailable:    {"unavailable", "503 with nothing", Loud, false, nil, answer(http.StatusServiceUnavailable, "", "")},
	FaultGatewayTimeout: {"gateway-timeout", "504, as {status, error, requestId}", Loud, false, nil, answer(http.StatusGatewayTimeout, jsonType, error504)},
	FaultProxyAuth:      {"proxy-auth", "407 of a proxy, with HTML", Loud, false, nil, answer(http.StatusProxyAuthRequired, "text/html", portal)},
	FaultConflict:       {"conflict", "409", Loud, false, nil, answer(http.StatusConflict, jsonType, error409)},
	FaultMisdirected:    {"misdirected", "421 with nothing", Loud, false, nil, answer(http.StatusMisdirectedRequest, "", "")},
	FaultLocked:         {"locked", "423 with nothing", Loud, false, nil, answer(http.StatusLocked, "", "")},
	FaultTooEarly:       {"too-early", "425 with nothing", Loud, false, nil, answer(http.StatusTooEarly, "", "")},
	FaultClientClosed:   {"client-closed", "499 of a proxy, with nothing", Loud, false, nil, answer(499, "", "")},
	FaultHangInError:    {"hang-in-error", "500, and stops in the middle of the body for good", Loud, true, nil, hangInError},

	FaultPartialKey: {"partial-key", "the whole listing shows a part of the objects, and total_size agrees", Silent, false, moreThanPart, edited(partialKey)},
	FaultBlindKey:   {"blind-key", "the listing shows no objects, and total_size agrees", Silent, false, aFirstPage, edited(blindKey)},
}
