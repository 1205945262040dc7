"""A test in Python with the emulator: does the program under test survive a registry that is down once?

    acr-emulator --control-port 5002 &
    REGISTRY=http://127.0.0.1:5001 CONTROL=http://127.0.0.1:5002 python3 -m unittest control.py
"""

import base64
import json
import os
import unittest
import urllib.error
import urllib.request

REGISTRY = os.environ.get("REGISTRY", "http://127.0.0.1:5001")
CONTROL = os.environ.get("CONTROL", "http://127.0.0.1:5002")
LOGIN = f"{os.environ.get('REGISTRY_USERNAME', 'admin')}:{os.environ.get('REGISTRY_PASSWORD', 'emulator')}"


def control(method, path, body=None):
    """Asks the emulator's control API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        CONTROL + path, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def digest_of(repository, tag, attempts=3):
    """The program under test: asks again as long as the registry is down."""
    request = urllib.request.Request(f"{REGISTRY}/v2/{repository}/manifests/{tag}", method="HEAD")
    request.add_header("Authorization", "Basic " + base64.b64encode(LOGIN.encode()).decode())
    for attempt in range(attempts):
        try:
            with urllib.request.urlopen(request) as response:
                return response.headers["Docker-Content-Digest"]
        except urllib.error.HTTPError as error:
            if error.code != 503 or attempt == attempts - 1:
                raise


class RegistryThatIsDown(unittest.TestCase):
    def setUp(self):
        control("POST", "/reset")
        self.digest = control("POST", "/seed", {"repository": "library/alpine", "tags": ["3.20"]})["digest"]

    def test_asks_again(self):
        control("POST", "/faults", {"path": "/v2/", "consequence": {"_tag": "Answer", "status": 503}})
        self.assertEqual(digest_of("library/alpine", "3.20"), self.digest)
        self.assertEqual([entry["status"] for entry in control("GET", "/journal")], [503, 200])

    def test_gives_up(self):
        control("POST", "/faults", {"times": "always", "consequence": {"_tag": "Answer", "status": 503}})
        with self.assertRaises(urllib.error.HTTPError):
            digest_of("library/alpine", "3.20")
        self.assertEqual(len(control("GET", "/journal")), 3)

    def test_a_mistyped_fault_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            control("POST", "/faults", {"paht": "/v2/", "consequence": {"_tag": "Reset"}})
        problem = json.loads(refused.exception.read())
        self.assertEqual(problem["status"], 400)
        self.assertIn("paht", str(problem["errors"]))


if __name__ == "__main__":
    unittest.main()
