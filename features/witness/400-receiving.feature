Feature: Receiving messages
  Cases 401 and 402 of the MESH API assurance pack: a product authenticates, checks its inbox,
  downloads the message that an independent counterpart has sent, and acknowledges it.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @case-401 @req-AUTH-01 @req-RECEIVE-01 @req-RECEIVE-02
  Scenario: Receive an uncompressed message
    Proves: the product finds the message in its inbox, downloads it once, acknowledges it in
    the call that follows, and holds the payload that was sent.

    If it fails: the first step that did not pass says what was expected, what was seen on the
    wire, and how to mend it.

    Given the counterpart has sent a message of 4096 bytes to the product
    When the product receives the message
    Then the inbox listed the message
    And the download gave the payload that was sent
    And the acknowledgement came directly after the download
    And the message is gone from the product's inbox

  @optional-compression @case-402 @req-AUTH-01 @req-RECEIVE-01 @req-RECEIVE-02 @req-RECEIVE-03
  Scenario: Receive a compressed message
    Proves: the product says that it takes gzip, downloads a message that was sent compressed,
    and holds the payload that was sent once it is decompressed.

    If it fails: look at the request of the download. Accept-Encoding must offer gzip.

    Optional: a product that never takes compressed messages says so in its configuration,
    `without: [compression]`, and the case does not apply, which becomes a limitation on its
    certificate.

    Given the counterpart has sent a compressed message of 65536 bytes to the product
    When the product receives the message compressed
    Then the inbox listed the message
    And the message was downloaded compressed with gzip
    And the download gave the payload that was sent
    And the acknowledgement came directly after the download
    And the message is gone from the product's inbox
