;; Regular expressions: runs the automata of hexgate/regex. The layout of a table is in hexgate/regex/encode.py.

;; Whether a pattern matches somewhere in a text. The time is linear in the text, and ends where the answer is known.
;; table: the address of the encoded automaton; text, length: the text's valid UTF-8; result: 1 or 0.
(func $regex_search (param $table i32) (param $text i32) (param $length i32) (result i32)
  (local $state i32) (local $end i32) (local $map i32) (local $transitions i32) (local $columns i32) (local $form i32)
  (local $column i32) (local $entry i32)
  (local.set $state (i32.load16_u (local.get $table)))
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (local.set $map (i32.add (local.get $table) (i32.const 16)))
  (local.set $transitions (i32.add (local.get $table) (i32.load offset=12 (local.get $table))))
  (local.set $columns (i32.load16_u offset=4 (local.get $table)))
  (local.set $form (i32.load8_u offset=6 (local.get $table)))
  (block $decided
    (loop $next
      ;; States 0 and 1 are for good.
      (br_if $decided (i32.lt_u (local.get $state) (i32.const 2)))
      (br_if $decided (i32.ge_u (local.get $text) (local.get $end)))
      (local.set $column (i32.load8_u (i32.add (local.get $map) (i32.load8_u (local.get $text)))))
      (if (i32.ge_u (local.get $column) (i32.const 254))
        (then
          (if (i32.eq (local.get $column) (i32.const 254))
            (then
              (local.set $text (i32.add (local.get $text) (i32.const 1)))
              (br $next)))
          (local.set $column (call $regex_column (local.get $table) (call $regex_code_point (local.get $text))))))
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (if (i32.eq (local.get $form) (i32.const 2))
        (then
          (local.set $state
            (call $regex_next (local.get $transitions) (local.get $columns) (local.get $state) (local.get $column)))
          (br $next)))
      (local.set $entry (i32.add (i32.mul (local.get $state) (local.get $columns)) (local.get $column)))
      (if (local.get $form)
        (then
          (local.set $state
            (i32.load16_u (i32.add (local.get $transitions) (i32.shl (local.get $entry) (i32.const 1))))))
        (else
          (local.set $state (i32.load8_u (i32.add (local.get $transitions) (local.get $entry))))))
      (br $next)))
  (i32.or
    (i32.eq (local.get $state) (i32.const 1))
    (i32.ge_u (local.get $state) (i32.load16_u offset=2 (local.get $table)))))

;; The code point of a character of two to four bytes. text: the address of its first byte.
(func $regex_code_point (param $text i32) (result i32)
  (local $first i32) (local $second i32)
  (local.set $first (i32.load8_u (local.get $text)))
  (local.set $second (i32.and (i32.load8_u offset=1 (local.get $text)) (i32.const 0x3f)))
  (if (i32.lt_u (local.get $first) (i32.const 0xe0))
    (then
      (return (i32.or (i32.shl (i32.and (local.get $first) (i32.const 0x1f)) (i32.const 6)) (local.get $second)))))
  (local.set $second
    (i32.or
      (i32.shl (local.get $second) (i32.const 6))
      (i32.and (i32.load8_u offset=2 (local.get $text)) (i32.const 0x3f))))
  (if (i32.lt_u (local.get $first) (i32.const 0xf0))
    (then
      (return (i32.or (i32.shl (i32.and (local.get $first) (i32.const 0x0f)) (i32.const 12)) (local.get $second)))))
  (i32.or
    (i32.shl (i32.and (local.get $first) (i32.const 0x07)) (i32.const 18))
    (i32.or
      (i32.shl (local.get $second) (i32.const 6))
      (i32.and (i32.load8_u offset=3 (local.get $text)) (i32.const 0x3f)))))

;; The column of a code point that the byte map does not decide: of the last bound up to it.
;; table: an encoded automaton with at least one bound.
(func $regex_column (param $table i32) (param $code_point i32) (result i32)
  (local $low i32) (local $high i32) (local $middle i32) (local $wanted i32)
  ;; A bound holds its code point above 11 bits for the column: compare against the greatest with this code point.
  (local.set $wanted (i32.or (i32.shl (local.get $code_point) (i32.const 11)) (i32.const 0x7ff)))
  (local.set $high (i32.load16_u offset=8 (local.get $table)))
  (local.set $table (i32.add (local.get $table) (i32.const 272)))
  (block $found
    (loop $halve
      (br_if $found (i32.le_u (i32.sub (local.get $high) (local.get $low)) (i32.const 1)))
      (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
      (if (i32.le_u
            (i32.load (i32.add (local.get $table) (i32.shl (local.get $middle) (i32.const 2))))
            (local.get $wanted))
        (then (local.set $low (local.get $middle)))
        (else (local.set $high (local.get $middle))))
      (br $halve)))
  (i32.and (i32.load (i32.add (local.get $table) (i32.shl (local.get $low) (i32.const 2)))) (i32.const 0x7ff)))

;; The next state where transitions are defaults and exceptions (form 2). transitions: their address; columns: how many
;; there are; state, column: where the automaton is and what it reads.
(func $regex_next (param $transitions i32) (param $columns i32) (param $state i32) (param $column i32) (result i32)
  (local $first i32) (local $pair i32) (local $low i32) (local $high i32) (local $middle i32)
  (local.set $first
    (i32.add (local.get $transitions) (i32.shl (i32.add (local.get $columns) (local.get $state)) (i32.const 1))))
  (local.set $pair
    (i32.add (local.get $transitions) (i32.shl (i32.load16_u (local.get $first)) (i32.const 1))))
  ;; From low on to before high is where the pair of the column may be.
  (local.set $high
    (i32.shr_u
      (i32.sub (i32.load16_u offset=2 (local.get $first)) (i32.load16_u (local.get $first)))
      (i32.const 1)))
  (block $none
    (loop $halve
      (br_if $none (i32.ge_u (local.get $low) (local.get $high)))
      (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
      (local.set $first (i32.add (local.get $pair) (i32.shl (local.get $middle) (i32.const 2))))
      (if (i32.eq (i32.load16_u (local.get $first)) (local.get $column))
        (then (return (i32.load16_u offset=2 (local.get $first)))))
      (if (i32.lt_u (i32.load16_u (local.get $first)) (local.get $column))
        (then (local.set $low (i32.add (local.get $middle) (i32.const 1))))
        (else (local.set $high (local.get $middle))))
      (br $halve)))
  (i32.load16_u (i32.add (local.get $transitions) (i32.shl (local.get $column) (i32.const 1)))))
