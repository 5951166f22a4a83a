Feature: Sending messages
  Cases 201 and 202 of the MESH API assurance pack: a product authenticates, sends a message,
  and checks its inbox. An independent counterpart then collects the message, so that what
  arrived can be compared with what was sent.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @case-201 @req-AUTH-01 @req-SEND-01 @req-SEND-02 @req-POLL-01
  Scenario: Send an uncompressed message
    Proves: the product sends a message with the headers that the pack names, MESH accepts it,
    the inbox is checked directly afterwards, and the payload arrives unaltered.

    If it fails: the first step that did not pass says what was expected, what was seen on the
    wire, and how to mend it.

    When the product sends a message of 4096 bytes to the counterpart
    Then MESH accepts the message and gives it a message ID
    And the message was sent with these headers
      | Authorization  |
      | Mex-From       |
      | Mex-To         |
      | Mex-WorkflowID |
      | Content-Type   |
    And the message was sent without compression
    When the product checks its inbox
    Then the inbox check came directly after the send
    When the counterpart collects the message
    Then the payload that arrived is the payload that was sent
    And the message is gone from the counterpart's inbox

  @optional-compression @case-202 @req-AUTH-01 @req-SEND-02 @req-SEND-03 @req-POLL-01
  Scenario: Send a compressed message
    Proves: the product compresses a message with gzip, says so in Content-Encoding and in
    Mex-Content-Compressed, and the decompressed payload arrives unaltered.

    If it fails: look at the request of the send. Both headers must be there, and the body must
    be gzip, compressed once.

    Optional: a product that never compresses says so in its configuration, `without: [compression]`,
    and the case does not apply, which becomes a limitation on its certificate.

    When the product sends a compressed message of 65536 bytes to the counterpart
    Then MESH accepts the message and gives it a message ID
    And the message was sent with these headers
      | Authorization          |
      | Mex-From               |
      | Mex-To                 |
      | Mex-WorkflowID         |
      | Content-Type           |
      | Content-Encoding       |
      | Mex-Content-Compressed |
    And the message was sent compressed with gzip
    When the product checks its inbox
    Then the inbox check came directly after the send
    When the counterpart collects the message
    Then the payload that arrived is the payload that was sent
    And the message is gone from the counterpart's inbox
