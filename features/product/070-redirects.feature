@own-endpoint @emulator-only @tls
Feature: When MESH is said to be elsewhere
  What a product does when an answer redirects it to another host. No operation of MESH's has a redirect, so it
  need not be followed; a token is for MESH, and nobody else must have it.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @req-REDIRECT-01 @req-REDIRECT-02 @req-UNAVAILABLE-03
  Scenario: The handshake is redirected to another host
    Proves: the product does not show its token to another host, and does not take its mailbox for validated. To
    go there without is a warning.

    If it fails: have the HTTP library follow no redirects.

    Given every handshake of the product's will be redirected with 307 to another host
    When the product is asked to validate its mailbox
    Then the product does not follow with its token or in the clear
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to validate its mailbox
    Then the product does not take the failure for a success
    When the product checks its inbox

  @req-REDIRECT-01 @req-REDIRECT-02 @req-UNAVAILABLE-03 @req-LOSS-02
  Scenario: The inbox check is redirected to another host
    Proves: the product does not show its token to another host, does not take its inbox for empty, and takes the
    messages when MESH is well again. To go there without its token is a warning.

    If it fails: have the HTTP library follow no redirects, and look at the status before the body is read.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And every inbox check of the product's will be redirected with 301 to another host
    When the product is asked for a poll cycle
    Then the product does not follow with its token or in the clear
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-REDIRECT-01 @req-REDIRECT-02 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario: A send is redirected to another host
    Proves: the product does not show its token to another host, and does not take the message for sent. To send
    the message there without its token, as HTTP allows, is a warning: nobody has agreed to that host.

    If it fails: have the HTTP library follow no redirects.

    Given every send of the product's will be redirected with 308 to another host
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product does not follow with its token or in the clear
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

  @req-REDIRECT-01 @req-REDIRECT-02 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario: A send is redirected to another host, without TLS
    Proves: the product sends neither its token nor the message without TLS, whoever asks it to.

    If it fails: have the HTTP library follow no redirects, or none to http://.

    Given every send of the product's will be redirected with 307 to another host without TLS
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product does not follow with its token or in the clear
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once
