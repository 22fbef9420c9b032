-- The functions that a script has handed out to it which makes them ready when it needs them.
made = {
  blacklist = blacklist,
  committed = committed,
  committed_before = committed_before,
  end_over = end_over,
  finish = finish,
  living = living,
  purge = purge,
  put_now = put_now,
  put_session = put_session,
  token_id = token_id,
}
return made
