Feature: Messages in chunks
  Cases 501 and 502 of the MESH API assurance pack: messages of more than 200 MB, which one request
  cannot carry. How large they are is said in the configuration under chunking; the endpoint that
  mesh-witness brings along is given small ones.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @optional-chunking @case-501 @req-LARGE-01 @req-RECEIVE-02
  Scenario: Receive a message in chunks
    Proves: the product downloads chunk after chunk until the last, holds the whole as it was sent,
    by its MD5, and acknowledges it in the call that follows.

    If it fails: a download that is answered 206 has more chunks; the one that is answered 200 is
    the last.

    Optional: a product that does without chunks says so in its configuration, `without: [chunking]`,
    and the case does not apply, which becomes a limitation on its certificate.

    Given the counterpart has sent a large message in chunks to the product
    When the product receives the message
    Then the inbox listed the message
    And the product downloaded every chunk of it, and the whole is what was sent
    And the acknowledgement came directly after the download
    And the message is gone from the product's inbox

  @optional-chunking @case-502 @req-LARGE-02
  Scenario: Send a message in chunks
    Proves: the product sends chunk after chunk with its Mex-Chunk-Range, in order, up to the final
    block, each is accepted, and the whole arrives as it was to be sent, by its MD5.

    If it fails: look at Mex-Chunk-Range of each request: 1:3, then 2:3, then 3:3.

    Optional: a product that does without chunks says so in its configuration, `without: [chunking]`,
    and the case does not apply, which becomes a limitation on its certificate.

    When the product sends a large message in chunks to the counterpart
    Then MESH accepts the message and gives it a message ID
    And the message was sent in chunks, up to the final block
    When the product checks its inbox
    And the counterpart collects the message
    Then the counterpart downloaded every chunk of it, and the whole is what was sent
    And the message is gone from the counterpart's inbox
