@endpoint
Feature: The version of an answer
  Accept chooses between v1 and v2, and the lowest is the default (OpenAPI, "API Versioning").

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-VERSION-01
  Scenario Outline: Accept chooses: <accept>
    Given answers are asked for as "<accept>"
    When the receiver counts its messages
    Then the answer is 200 in the shape of "<shape>"

    Examples:
      | accept                                                | shape    |
      | application/json                                      | count v1 |
      | application/vnd.mesh.v1+json                          | count v1 |
      | application/vnd.mesh.v2+json                          | count v2 |
      | Application/Vnd.Mesh.V2+JSON                          | count v2 |

  @req-VERSION-01 @emulator-only
  Scenario Outline: Accept chooses by weight: <accept>
    Given answers are asked for as "<accept>"
    When the receiver counts its messages
    Then the answer is 200 in the shape of "<shape>"

    Examples:
      | accept                                                | shape    |
      | */*                                                   | count v1 |
      | text/html                                             | count v1 |
      | application/vnd.mesh.v2+json;q=0.5, application/json  | count v1 |
      | application/json;q=0.5, application/vnd.mesh.v2+json  | count v2 |

  @req-VERSION-02 @emulator-only
  Scenario Outline: What is no operation is not found: <method> <path>
    When the receiver calls <method> "<path>"
    Then the answer is 404

    Examples:
      | method | path                                   |
      | DELETE | /messageexchange/{mailbox}/inbox       |
      | GET    | /messageexchange/{mailbox}/nonsense    |
      | PUT    | /messageexchange/{mailbox}/outbox      |
      | GET    | /                                      |
