Feature: What a person attests
  Cases 801 to 803 of the MESH API assurance pack are declarations. A named person makes them, on the
  terminal when a run against a configured endpoint begins, or in a file that is named with
  --attestations. Without an answer they are not run, and never passed.

  @attestation @case-801 @req-ATTEST-01
  Scenario: One thread a mailbox
    Proves: a named person has declared it. Nothing is measured.

    If it fails: it cannot; without an answer it is not run.

    Then a named person attests that the product uses at most one thread for each mailbox

  @attestation @case-802 @req-ATTEST-02
  Scenario: The published specification
    Proves: a named person has declared it. Nothing is measured.

    If it fails: it cannot; without an answer it is not run.

    Then a named person attests that the product adheres to the published API specification

  @attestation @case-803 @req-ATTEST-03
  Scenario: Undelivered messages
    Proves: a named person has declared it. Nothing is measured.

    If it fails: it cannot; without an answer it is not run.

    Then a named person attests that the supplier acts on reports of messages that were not delivered
